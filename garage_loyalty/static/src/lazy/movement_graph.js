import {registry} from "@web/core/registry";
import {useService} from "@web/core/utils/hooks";
import {GraphModel} from "@web/views/graph/graph_model";
import {GraphRenderer} from "@web/views/graph/graph_renderer";
import {graphView} from "@web/views/graph/graph_view";

/** The line over stacked bars is called by what it sums up: the net. */
export class MovementGraphModel extends GraphModel {
    _getLineOverlayDataset() {
        const line = super._getLineOverlayDataset();
        const {measure, measures} = this.metaData;
        return line && {...line, label: measures[measure].string};
    }
}

/** A bar of one month opens the customers that it counts. */
export class MovementGraphRenderer extends GraphRenderer {
    setup() {
        super.setup();
        this.orm = useService("orm");
    }

    getBarChartData() {
        const line = this.model.lineOverlayDataset;
        const data = super.getBarChartData();
        if (line) {
            // Bars of many months are narrow: they must stay visible, and clickable.
            Object.assign(line, {
                pointRadius: 3,
                pointHoverRadius: 6,
                pointHitRadius: 4,
            });
        }
        return data;
    }

    async openView(domain, views, context, newWindow) {
        const {measure, resModel} = this.model.metaData;
        const ids = await this.orm.search(resModel, domain, {limit: 2});
        if (measure === "__count" || ids.length !== 1) {
            return super.openView(domain, views, context, newWindow);
        }
        return this.actionService.doActionButton({
            type: "object",
            name: "action_open_customers",
            resModel,
            resId: ids[0],
            context: {...context, figure: measure},
        });
    }
}

registry.category("views").add("garage_loyalty_movement_graph", {
    ...graphView,
    Model: MovementGraphModel,
    Renderer: MovementGraphRenderer,
});
