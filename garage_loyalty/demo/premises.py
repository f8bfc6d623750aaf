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
    ],
    "advisor": [
        "garage_loyalty.garage_loyalty_group_user",
        "sales_team.group_sale_salesman_all_leads",
        "stock.group_stock_user",
        "account.group_account_invoice",
    ],
    "accountant": [
        "garage_loyalty.garage_loyalty_group_accountant",
        "account.group_account_user",
        "account.group_account_manager",
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
    netherlands = env.ref("base.nl")
    if not company.chart_template:
        env["account.chart.template"].try_loading("generic_coa", company)
    env.ref("base.EUR").active = True
    company.write(
        {
            "name": "Harbour Street Garage",
            "street": "Harbour Street 12",
            "zip": "8861 HB",
            "city": "Harlingen",
            "country_id": netherlands.id,
            "phone": "+31 517 000 012",
            "email": "workshop@harbourstreet.example.com",
            "currency_id": env.ref("base.EUR").id,
            "account_fiscal_country_id": netherlands.id,
        }
    )
    # One currency: a workshop's price list and its books agree.
    env["product.pricelist"].search([("company_id", "in", (False, company.id))]).write(
        {"currency_id": company.currency_id.id}
    )
    _settle_bank(env, company)
    return _settle_taxes(env, company, netherlands)


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


def _settle_taxes(env, company, country):
    """Dutch VAT: 21 %, and 9 % for bicycle repairs, on the accounts of the chart."""
    taxes = env["account.tax"].search([("company_id", "=", company.id)])
    taxes.tax_group_id.country_id = country
    taxes.country_id = country
    group = company.account_sale_tax_id.tax_group_id.copy({"name": "VAT"})
    standard, reduced = (
        company.account_sale_tax_id.copy(
            {
                "name": f"{rate}% VAT",
                "invoice_label": f"VAT {rate}%",
                "description": False,
                "amount": rate,
                "tax_group_id": group.id,
            }
        )
        for rate in (21, 9)
    )
    company.account_sale_tax_id = standard
    return {False: standard, True: reduced}


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
    labour = env["product.category"].create({"name": "Workshop services"})
    codes, vals_list = [], []
    for code, item, size in catalog.product_codes():
        codes.append(code)
        if isinstance(item, catalog.Part):
            vals = _part_vals(item, size) | {"categ_id": parts.id}
        else:
            vals = _service_vals(env, item) | {"categ_id": labour.id}
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
    if service.hourly:
        vals["uom_id"] = env.ref("uom.product_uom_hour").id
    return vals


def _welcome(env, customers):
    """Partners of all customers, and the people of the companies among them."""
    country = env.ref("base.nl").id
    term = env.ref("account.account_payment_term_30days").id
    partners = env["res.partner"].create(
        [_partner_vals(customer, country, term) for customer in customers]
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


def _partner_vals(customer, country, term):
    return {
        "name": customer.contact.name,
        "is_company": customer.is_company,
        "email": customer.contact.email,
        "phone": customer.contact.phone,
        "street": customer.street,
        "zip": customer.zip,
        "city": customer.city,
        "country_id": country,
        "property_payment_term_id": customer.is_company and term,
        "comment": "<br/>".join(f"{v.plate} · {v.model}" for v in customer.vehicles),
    }


def _tags(env):
    names = list(dict.fromkeys(job.name for job in jobs.JOBS))
    known = {tag.name: tag for tag in env["repair.tags"].search([])}
    for name in names:
        if name not in known:
            known[name] = env["repair.tags"].create({"name": name})
    return known
