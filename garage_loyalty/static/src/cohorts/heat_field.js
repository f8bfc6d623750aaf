import {_t} from "@web/core/l10n/translation";
import {registry} from "@web/core/registry";
import {formatFloat} from "@web/views/fields/formatters";
import {FigureField, figureField} from "@garage_loyalty/movement/movement_fields";

/** A percentage on a ground that is the darker, the higher it is. */
export class HeatField extends FigureField {
    static template = "garage_loyalty.HeatField";

    get formattedValue() {
        return `${formatFloat(this.value, {digits: [16, 0]})}%`;
    }

    get style() {
        const share = Math.min(Math.max(this.value, 0), 100) / 100;
        // Translucent, so that text stays readable in light and in dark.
        return `background-color: rgba(0, 160, 157, ${(0.75 * share).toFixed(2)})`;
    }
}

export const heatField = {
    ...figureField,
    component: HeatField,
    displayName: _t("Percentage as heat map"),
    supportedTypes: ["float"],
};

registry.category("fields").add("garage_loyalty_heat", heatField);
