"""The demo workshop itself: company, taxes, staff, price list and customers."""

from dataclasses import dataclass

from odoo.fields import Command

from . import catalog, jobs

GROUPS = {
    "owner": [
        "garage_loyalty.garage_loyalty_group_manager",
        "sales_team.group_sale_manager",
        "stock.group_stock_manager",
        "account.group_account_manager",
        "base.group_allow_export",
    ],
    "advisor": [
        "garage_loyalty.garage_loyalty_group_user",
        "sales_team.group_sale_salesman_all_leads",
        "stock.group_stock_user",
        "account.group_account_invoice",
        "base.group_partner_manager",
    ],
    "accountant": [
        "garage_loyalty.garage_loyalty_group_accountant",
        "account.group_account_user",
        "account.group_account_manager",
        "base.group_allow_export",
    ],
}
STAFF = [
    ("owner", "owner", "Margriet Hofstra"),
    ("advisor", "advisor", "Jelle Terpstra"),
    ("advisor", "advisor2", "Samira Haddad"),
    ("advisor", "advisor3", "Robin van Leeuwen"),
    ("accountant", "accountant", "Theo Nauta"),
]


@dataclass
class Premises:
    """What the documents need, found or made once."""

    env: object
    company: object
    advisors: list
    accountant: object
    products: dict  # code -> product.product
    partners: dict  # customer number -> res.partner
    contacts: dict  # (customer number, person) -> res.partner
    tags: dict  # name -> repair.tags

    def partner(self, visit):
        """Who brings the car: the customer, or one of a company's people."""
        number = visit.customer.number
        return self.contacts.get((number, visit.person), self.partners[number])

    def user(self, number):
        return self.advisors[number]


def open_premises(env, customers):
    company = env.company
    taxes = _settle_company(env, company)
    staff = _hire(env, company)
    partners, contacts = _welcome(env, customers)
    return Premises(
        env,
        company,
        [staff[login] for login in ("advisor", "advisor2", "advisor3")],
        staff["accountant"],
        _stock_up(env, taxes),
        partners,
        contacts,
        _tags(env),
    )


def _settle_company(env, company):
    """Name the company, and make it Dutch unless its chart is of some country."""
    if not company.chart_template:
        env["account.chart.template"].try_loading("generic_coa", company)
    company.write(
        {
            "name": "Harbour Street Garage",
            "street": "Harbour Street 12",
            "zip": "8861 HB",
            "city": "Harlingen",
            "phone": "+31 517 000 012",
            "email": "workshop@harbourstreet.example.com",
        }
    )
    _settle_bank(env, company)
    standard = company.account_sale_tax_id
    if company.chart_template != "generic_coa":
        return {False: standard, True: standard}
    _move_to_netherlands(env, company)
    return {False: standard, True: _settle_vat(standard)}


def _settle_bank(env, company):
    """Payments go straight to the bank account: there are no statements to match."""
    journal = env["account.journal"].search(
        [*env["account.journal"]._check_company_domain(company), ("type", "=", "bank")],
        limit=1,
    )
    lines = (
        journal.inbound_payment_method_line_ids
        | journal.outbound_payment_method_line_ids
    )
    lines.payment_account_id = journal.default_account_id


def _move_to_netherlands(env, company):
    """The chart of no country says United States and US dollar."""
    country, euro = env.ref("base.nl"), env.ref("base.EUR")
    euro.active = True
    company.write(
        {
            "country_id": country.id,
            "account_fiscal_country_id": country.id,
            "currency_id": euro.id,
        }
    )
    # The price list would keep its currency, and convert every price.
    lists = env["product.pricelist"].search([("company_id", "in", (False, company.id))])
    lists.currency_id = euro
    domain = [("company_id", "=", company.id)]
    taxes = env["account.tax"].search(domain)
    taxes.tax_group_id.country_id = country
    taxes.country_id = country
    positions = env["account.fiscal.position"].search(domain)
    positions.filtered("country_id").country_id = country


def _settle_vat(standard):
    """Dutch VAT: 21 %, and 9 % for bicycle repairs, on the accounts of the chart."""
    standard.tax_group_id.name = "VAT"
    standard.write(_vat_vals(21))
    return standard.copy(_vat_vals(9))


def _vat_vals(rate):
    return {
        "name": f"{rate}% VAT",
        "invoice_label": f"VAT {rate}%",
        "description": False,
        "amount": rate,
    }


def _hire(env, company):
    """The staff; everyone's password is their login, for this is a demo."""
    staff = {}
    for role, login, name in STAFF:
        groups = [env.ref(xmlid).id for xmlid in ["base.group_user", *GROUPS[role]]]
        staff[login] = env["res.users"].create(
            {
                "name": name,
                "login": login,
                "password": login,
                "email": f"{login}@harbourstreet.example.com",
                "tz": "Europe/Amsterdam",
                "company_id": company.id,
                "company_ids": [Command.set(company.ids)],
                "group_ids": [Command.set(groups)],
            }
        )
    manager = env.ref("garage_loyalty.garage_loyalty_group_manager")
    env.ref("base.user_admin").group_ids |= manager
    return staff


def hire_customer(env, partner):
    """The portal login of one member."""
    return env["res.users"].create(
        {
            "partner_id": partner.id,
            "login": "customer",
            "password": "customer",
            "tz": "Europe/Amsterdam",
            "group_ids": [Command.set(env.ref("base.group_portal").ids)],
        }
    )


def _stock_up(env, taxes):
    """Parts are not counted: a workshop orders them for the job."""
    parts = env["product.category"].create({"name": "Car parts"})
    kinds = _create_kinds(env)
    codes, vals_list = [], []
    for code, item, size in catalog.product_codes():
        codes.append(code)
        if isinstance(item, catalog.Part):
            vals = _part_vals(item, size) | {"categ_id": parts.id}
        else:
            vals = _service_vals(env, item) | {"categ_id": kinds[item.kind]}
        tax = taxes[getattr(item, "reduced_vat", False)]
        vals_list.append(
            vals
            | {
                "default_code": code,
                "invoice_policy": "order",
                "taxes_id": [Command.set(tax.ids)],
                "supplier_taxes_id": [Command.clear()],
            }
        )
    return dict(zip(codes, env["product.product"].create(vals_list), strict=True))


def _create_kinds(env):
    """Return the categories of services by their kind."""
    Category = env["product.category"]
    labour = Category.create({"name": "Workshop services", "loyalty_no_offers": True})
    kinds = {"": labour.id}
    for name in sorted({service.kind for service in catalog.SERVICES} - {""}):
        kinds[name] = Category.create({"name": name, "parent_id": labour.id}).id
    return kinds


def _part_vals(part, size):
    label, factor = catalog.SIZES.get(size, ("", 1.0))
    return {
        "name": f"{part.name}, {label}" if label else part.name,
        "type": "consu",
        "is_storable": False,
        "list_price": round(part.price * factor * 2) / 2 if size else part.price,
        "standard_price": round(part.cost * factor, 2),
    }


def _service_vals(env, service):
    vals = {"name": service.name, "type": "service", "list_price": service.price}
    if service.code == "APK":
        vals["inspection_kind"] = "inspection"
    if service.hourly:
        vals["uom_id"] = env.ref("uom.product_uom_hour").id
    return vals


def _welcome(env, customers):
    """Partners of all customers, and the people of the companies among them."""
    country = env.company.account_fiscal_country_id.id
    # Without a term an invoice would be due on the day it was typed, not dated.
    terms = {
        False: env.ref("account.account_payment_term_immediate").id,
        True: env.ref("account.account_payment_term_30days").id,
    }
    partners = env["res.partner"].create(
        [_partner_vals(customer, country, terms) for customer in customers]
    )
    numbered = {
        customer.number: partner
        for customer, partner in zip(customers, partners, strict=True)
    }
    keys, vals_list = [], []
    for customer in customers:
        for person, contact in enumerate(customer.staff):
            keys.append((customer.number, person))
            vals_list.append(
                {
                    "parent_id": numbered[customer.number].id,
                    "type": "contact",
                    "name": contact.name,
                    "function": contact.position,
                    "email": contact.email,
                    "phone": contact.phone,
                }
            )
    contacts = env["res.partner"].create(vals_list)
    return numbered, dict(zip(keys, contacts, strict=True))


def _partner_vals(customer, country, terms):
    return {
        "name": customer.contact.name,
        "is_company": customer.is_company,
        "email": customer.contact.email,
        "phone": customer.contact.phone,
        "street": customer.street,
        "zip": customer.zip,
        "city": customer.city,
        "country_id": country,
        "property_payment_term_id": terms[customer.is_company],
        "comment": "<br/>".join(f"{v.plate} · {v.model}" for v in customer.vehicles),
    }


def _tags(env):
    names = list(dict.fromkeys(job.name for job in jobs.JOBS))
    known = {tag.name: tag for tag in env["repair.tags"].search([])}
    for name in names:
        if name not in known:
            known[name] = env["repair.tags"].create({"name": name})
    return known
