import {Component} from "@odoo/owl";
import {_t} from "@web/core/l10n/translation";
import {registry} from "@web/core/registry";
import {standardFieldProps} from "@web/views/fields/standard_field_props";

let nextId = 0;

/**
 * Lets the advisor choose a reward. Those that the customer cannot have are shown
 * with the reason, so that the advisor can answer when the customer asks for them.
 */
export class RedeemOffersField extends Component {
    static template = "garage_loyalty.RedeemOffersField";
    static props = {...standardFieldProps};

    setup() {
        this.id = `loyalty_offers_${nextId++}`;
    }

    get offers() {
        return this.props.record.data.offers || [];
    }

    get value() {
        return this.props.record.data[this.props.name]?.id;
    }

    choose(offer) {
        this.props.record.update({
            [this.props.name]: {id: offer.id, display_name: offer.name},
        });
    }
}

export const redeemOffersField = {
    component: RedeemOffersField,
    displayName: _t("Rewards of the programme"),
    supportedTypes: ["many2one"],
    fieldDependencies: [{name: "offers", type: "json"}],
};

registry.category("fields").add("garage_loyalty_redeem_offers", redeemOffersField);
