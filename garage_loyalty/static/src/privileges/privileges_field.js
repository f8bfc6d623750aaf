import {Component, useState} from "@odoo/owl";
import {Dropdown} from "@web/core/dropdown/dropdown";
import {DropdownItem} from "@web/core/dropdown/dropdown_item";
import {_t} from "@web/core/l10n/translation";
import {registry} from "@web/core/registry";
import {useService} from "@web/core/utils/hooks";
import {standardFieldProps} from "@web/views/fields/standard_field_props";

/**
 * Shows what a member is entitled to, and what is left of it, as one row of badges.
 * On a quotation, or on a repair order, a free service is used and given up here. The
 * words and the colours come from the server: the widget knows no rules.
 */
export class PrivilegesField extends Component {
    static template = "garage_loyalty.PrivilegesField";
    static components = {Dropdown, DropdownItem};
    static props = {...standardFieldProps};

    setup() {
        this.orm = useService("orm");
        this.state = useState({busy: false});
    }

    get privileges() {
        return this.props.record.data[this.props.name] || [];
    }

    getSingleLabel(privilege) {
        return privilege.action === "use"
            ? _t("Use for %s", privilege.choices[0].name)
            : _t("Add %s", privilege.choices[0].name);
    }

    use(privilege, choice) {
        return this.call("action_use_loyalty_privilege", [privilege.id, choice.id]);
    }

    undo(privilege) {
        return this.call("action_undo_loyalty_privilege", [privilege.id]);
    }

    async call(method, args) {
        const {record} = this.props;
        if (this.state.busy) {
            return;
        }
        this.state.busy = true;
        try {
            if (await record.save()) {
                await this.orm.call(record.resModel, method, [[record.resId], ...args]);
                await record.load();
            }
        } finally {
            this.state.busy = false;
        }
    }
}

export const privilegesField = {
    component: PrivilegesField,
    displayName: _t("Privileges"),
    supportedTypes: ["json"],
};

registry.category("fields").add("garage_loyalty_privileges", privilegesField);
