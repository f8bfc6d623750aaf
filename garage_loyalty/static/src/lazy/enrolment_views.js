import {Domain} from "@web/core/domain";
import {registry} from "@web/core/registry";
import {GraphRenderer} from "@web/views/graph/graph_renderer";
import {graphView} from "@web/views/graph/graph_view";
import {PivotRenderer} from "@web/views/pivot/pivot_renderer";
import {pivotView} from "@web/views/pivot/pivot_view";

import {CohortGraphModel} from "./cohort_graph";

/** What a ratio or an average is of; all other measures add up rows. */
const COUNTS = {
    asking_rate: "opportunity_count",
    conversion_rate: "asked_count",
    days_to_join: "timed_count",
    days_to_join_median: "timed_count",
};

/** Narrow the rows of a group to those that a measure counts. */
export function getCounted(domain, measure) {
    if (measure === "__count") {
        return domain;
    }
    const counted = [[COUNTS[measure] || measure, "!=", 0]];
    return Domain.and([domain, counted]).toList();
}

/** A figure opens the rows that it counts, not all that the group has. */
export class EnrolmentPivotRenderer extends PivotRenderer {
    onOpenView(cell, newWindow) {
        this.clickedMeasure = cell.measure;
        return super.onOpenView(cell, newWindow);
    }

    openView(domain, ...args) {
        return super.openView(getCounted(domain, this.clickedMeasure), ...args);
    }
}

/** As in the pivot. */
export class EnrolmentGraphRenderer extends GraphRenderer {
    openView(domain, ...args) {
        const {measure} = this.model.metaData;
        return super.openView(getCounted(domain, measure), ...args);
    }
}

registry.category("views").add("garage_loyalty_enrolment_pivot", {
    ...pivotView,
    Renderer: EnrolmentPivotRenderer,
});
registry.category("views").add("garage_loyalty_enrolment_graph", {
    ...graphView,
    Model: CohortGraphModel,
    Renderer: EnrolmentGraphRenderer,
});
