import {registry} from "@web/core/registry";
import {GraphModel} from "@web/views/graph/graph_model";
import {graphView} from "@web/views/graph/graph_view";

/** What is not known yet is a gap in the line: the host draws it as nothing at all. */
export class CohortGraphModel extends GraphModel {
    _getData(...args) {
        const data = super._getData(...args);
        const {fields, measure} = this.metaData;
        if (fields[measure]?.aggregator !== "avg") {
            return data;
        }
        for (const dataset of data.datasets) {
            dataset.data = dataset.data.map((value, index) => {
                const isKnown = value !== false && dataset.domains[index].length;
                return isKnown ? value : null;
            });
        }
        return data;
    }
}

registry.category("views").add("garage_loyalty_cohort_graph", {
    ...graphView,
    Model: CohortGraphModel,
});
