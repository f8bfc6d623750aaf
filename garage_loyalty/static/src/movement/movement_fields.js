import {Component} from "@odoo/owl";
import {_t} from "@web/core/l10n/translation";
import {registry} from "@web/core/registry";
import {useService} from "@web/core/utils/hooks";
import {formatInteger, formatMonetary} from "@web/views/fields/formatters";
import {standardFieldProps} from "@web/views/fields/standard_field_props";

/** A month in words, and what is particular about its row. */
export class MonthField extends Component {
    static template = "garage_loyalty.MonthField";
    static props = {...standardFieldProps};

    get month() {
        return this.props.record.data[this.props.name]?.toFormat("MMMM yyyy") || "";
    }
}

export const monthField = {
    component: MonthField,
    displayName: _t("Month"),
    supportedTypes: ["date"],
};

/** A figure of a report: a click opens the customers that it counts, or its entries. */
export class FigureField extends Component {
    static template = "garage_loyalty.FigureField";
    static props = {...standardFieldProps, method: {type: String, optional: true}};
    static defaultProps = {method: "action_open_customers"};

    setup() {
        this.action = useService("action");
    }

    get value() {
        return this.props.record.data[this.props.name];
    }

    get formattedValue() {
        const {record, name} = this.props;
        if (record.fields[name].type === "monetary") {
            return formatMonetary(this.value, {
                data: record.data,
                field: record.fields[name],
            });
        }
        return formatInteger(this.value);
    }

    open() {
        const {resModel, resId, context} = this.props.record;
        return this.action.doActionButton({
            type: "object",
            name: this.props.method,
            resModel,
            resId,
            context: {...context, figure: this.props.name},
        });
    }
}

export const figureField = {
    component: FigureField,
    displayName: _t("Figure that opens what it is made of"),
    supportedTypes: ["integer", "monetary"],
    extractProps: ({options}) => ({method: options.method}),
};

registry.category("fields").add("garage_loyalty_month", monthField);
registry.category("fields").add("garage_loyalty_figure", figureField);
