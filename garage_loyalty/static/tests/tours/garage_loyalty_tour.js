import {registry} from "@web/core/registry";

const tours = registry.category("web_tour.tours");

tours.add("garage_loyalty_enrol", {
    steps: () => [
        {
            content: "The customer is no member yet",
            trigger: "div[name=loyalty_offer]:contains('Not a member')",
        },
        {
            content: "Enrol the customer of the repair order",
            trigger: ".o_statusbar_buttons button[name=action_enrol]",
            run: "click",
        },
        {
            content: "The customer is filled in",
            trigger: ".modal .o_field_widget[name=partner_id]:contains('Ada Customer')",
        },
        {
            content: "The customer accepts the terms",
            trigger: ".modal .o_field_widget[name=consent_terms] input",
            run: "click",
        },
        {
            content: "Enrol",
            trigger: ".modal button[name=action_enrol]",
            run: "click",
        },
        {
            content: "The badge shows the member and the tier",
            trigger: "div[name=loyalty_badge]:contains('Member'):contains('Bronze')",
        },
        {
            content: "Nobody enrols the customer twice",
            trigger: ".o_statusbar_buttons:not(:has(button[name=action_enrol]))",
        },
    ],
});

tours.add("garage_loyalty_redeem", {
    steps: () => [
        {
            content: "The badge shows the points",
            trigger: "div[name=loyalty_badge]:contains('1,000')",
        },
        {
            content: "Redeem points on the quotation",
            trigger: ".o_statusbar_buttons button[name=action_redeem]",
            run: "click",
        },
        {
            content: "Choose how many",
            trigger: ".modal .o_field_widget[name=points] input",
            run: "edit 500",
        },
        {
            content: "Leave the field",
            trigger: ".modal .o_field_widget[name=available_points]",
            run: "click",
        },
        {
            content: "The dialog shows what they take off",
            trigger: ".modal .o_field_widget[name=amount]:contains('50.00')",
        },
        {
            content: "Redeem",
            trigger: ".modal button[name=action_redeem]",
            run: "click",
        },
        {
            content: "The discount is a line of the quotation",
            trigger:
                ".o_field_widget[name=order_line] .o_data_row:contains('Loyalty points redeemed')",
        },
        {
            content: "The dialog is closed",
            trigger: "body:not(:has(.modal))",
        },
    ],
});

tours.add("garage_loyalty_reward", {
    steps: () => [
        {
            content: "Redeem on the quotation",
            trigger: ".o_statusbar_buttons button[name=action_redeem]",
            run: "click",
        },
        {
            content: "Choose a reward instead of points",
            trigger: ".modal .o_field_widget[name=kind] input[data-value=reward]",
            run: "click",
        },
        {
            content: "The dialog says why a reward cannot be had",
            trigger:
                ".modal label:contains('Too dear'):contains('200 points are missing')",
        },
        {
            content: "It cannot be chosen",
            trigger: ".modal label:contains('Too dear'):has(input:disabled)",
        },
        {
            content: "Choose the one that can",
            trigger: ".modal label:contains('Free wash') input",
            run: "click",
        },
        {
            content: "Redeem",
            trigger: ".modal button[name=action_redeem]",
            run: "click",
        },
        {
            content: "The free product is a line of the quotation",
            trigger:
                ".o_field_widget[name=order_line] .o_data_row:contains('free for 100 loyalty points')",
        },
        {
            content: "The dialog is closed",
            trigger: "body:not(:has(.modal))",
        },
    ],
});

tours.add("garage_loyalty_compare", {
    steps: () => [
        {
            content: "The pivot compares members",
            trigger: ".o_pivot th:contains('Members')",
        },
        {
            content: "It shows their average repair order",
            trigger: ".o_pivot td.o_pivot_cell_value:contains('200.00')",
        },
    ],
});

tours.add("garage_loyalty_privilege", {
    steps: () => [
        {
            content: "The repair goes first",
            trigger: "div[name=loyalty_priority]:contains('Priority')",
        },
        {
            content: "The customer was here before, and the repair is under warranty",
            trigger: "div[name=loyalty_warranty]:contains('under extended warranty')",
        },
        {
            content: "Repair under the warranty",
            trigger: "button[name=action_use_loyalty_warranty]",
            run: "click",
        },
        {
            content: "It is noted on the repair order",
            trigger: ".o_field_widget[name=loyalty_warranty_repair_id]",
        },
        {
            content: "What is used up is obvious",
            trigger: "div[name=loyalty_privileges] .badge:contains('Used up')",
        },
        {
            content: "Choose which service is added, free of charge",
            trigger: "div[name=loyalty_privileges] button:contains('Add'):last",
            run: "click",
        },
        {
            content: "Choose diagnostics",
            trigger: ".o-dropdown-item:contains('Diagnostics')",
            run: "click",
        },
        {
            content: "It is on the quotation",
            trigger: "div[name=loyalty_privileges]:contains('On this quotation')",
        },
        {
            content: "Undo it",
            trigger: "div[name=loyalty_privileges] button:contains('Undo')",
            run: "click",
        },
        {
            content: "It is left again",
            trigger: "div[name=loyalty_privileges]:contains('2 of 2 left')",
        },
    ],
});

tours.add("garage_loyalty_movement", {
    steps: () => [
        {
            content: "After twelve months nobody has lapsed",
            trigger:
                ".o_list_view:has(.o_data_row):not(:has(td[name=lapsed] button)) .o_searchview_facet:contains('12')",
        },
        {
            content: "Choose other months",
            trigger: ".o_searchview_facet .o_facet_remove",
            run: "click",
        },
        {
            content: "Open the filters",
            trigger: ".o_searchview_dropdown_toggler",
            run: "click",
        },
        {
            content: "Six months",
            trigger: ".o_filter_menu .o_menu_item:contains('6 months without')",
            run: "click",
        },
        {
            content: "Sort by who left, most of them first",
            trigger:
                ".o_list_view:has(.o_searchview_facet:contains('6 months')) th[data-name=lapsed]",
            run: "click",
        },
        {
            content: "Somebody has lapsed last month",
            trigger: ".o_data_row td[name=lapsed] button:contains('1')",
            run: "click",
        },
        {
            content: "The customer can be called",
            trigger:
                ".o_data_row:contains('Ada Customer') td[name=phone] a[href^='tel:']",
        },
        {
            content: "Open the history of the customer",
            trigger: ".o_data_row td[name=partner_id]",
            run: "click",
        },
        {
            content: "The visit is there",
            trigger:
                ".o_list_view:has(.o_last_breadcrumb_item:contains('Ada Customer')) .o_data_row:contains('200.00')",
        },
    ],
});

/** Return the chart on screen as it is when its bars have grown. */
function getChart() {
    const chart = window.Chart.getChart(document.querySelector(".o_graph_view canvas"));
    chart.update("none");
    return chart;
}

tours.add("garage_loyalty_movement_graph", {
    steps: () => [
        {
            content: "Look at the picture",
            trigger: ".o_switch_view.o_graph",
            run: "click",
        },
        {
            content: "It shows who came, who left, and the net",
            trigger: ".o_graph_view canvas",
            run() {
                const labels = getChart().data.datasets.map((set) => set.label);
                if (labels.join() !== "First,Lapsed,Returning,Net") {
                    throw new Error(`The picture shows ${labels}.`);
                }
            },
        },
        {
            content: "Open who left last month",
            trigger: ".o_graph_view canvas",
            run({anchor}) {
                const bars = getChart().getDatasetMeta(1).data;
                const {x, y, base} = bars[bars.length - 2];
                const {left, top} = anchor.getBoundingClientRect();
                const place = {clientX: left + x, clientY: top + (y + base) / 2};
                anchor.dispatchEvent(
                    new MouseEvent("click", {...place, bubbles: true})
                );
            },
        },
        {
            content: "The customer can be called",
            trigger:
                ".o_data_row:contains('Ada Customer') td[name=phone] a[href^='tel:']",
        },
    ],
});

tours.add("garage_loyalty_enrolment", {
    steps: () => [
        {
            content: "Three could be asked, two were, one of them accepted",
            trigger: ".o_pivot tbody tr:first-child:contains('66.7'):contains('50.0')",
        },
        {
            content: "Open who accepted",
            trigger: ".o_pivot tbody tr:first-child td:nth-child(5)",
            run: "click",
        },
        {
            content: "Only Ada did",
            trigger:
                ".o_list_view:not(:has(.o_data_row:contains('Bob'))) .o_data_row:contains('Ada Customer') td[name=date]",
            run: "click",
        },
        {
            content: "Her repair order opens",
            trigger: ".o_form_view .o_field_widget[name=partner_id]",
        },
    ],
});

tours.add("garage_loyalty_xlsx", {
    steps: () => [
        {
            content: "Sort by customer",
            trigger: ".o_list_view th[data-name=partner_id]",
            run: "click",
        },
        {
            content: "The first customer comes first",
            trigger: ".o_data_row:first-child:contains('Ada Customer')",
        },
        {
            content: "Open the menu of the list",
            trigger: ".o_control_panel .o_cp_action_menus button:has(.fa-cog)",
            run: "click",
        },
        {
            content: "Get the file",
            trigger: ".o_garage_loyalty_xlsx_menu",
            run: "click",
        },
        {
            content: "Nothing is blocked any more",
            trigger: "body:not(:has(.o_blockUI)):not(:has(.o_error_dialog))",
        },
    ],
});

tours.add("garage_loyalty_xlsx_pivot", {
    steps: () => [
        {
            content: "Open the menu of the pivot",
            trigger: ".o_pivot_view .o_cp_action_menus button:has(.fa-cog)",
            run: "click",
        },
        {
            content: "Get the file",
            trigger: ".o_garage_loyalty_xlsx_menu",
            run: "click",
        },
        {
            content: "Nothing is blocked any more",
            trigger: "body:not(:has(.o_blockUI)):not(:has(.o_error_dialog))",
        },
    ],
});

tours.add("garage_loyalty_xlsx_refused", {
    steps: () => [
        {
            content: "Open the menu of the list, if there is one",
            trigger: ".o_list_view .o_data_row",
            run: () => document.querySelector(".o_cp_action_menus .fa-cog")?.click(),
        },
        {
            content: "The file is not offered",
            trigger: "body:not(:has(.o_garage_loyalty_xlsx_menu))",
        },
    ],
});
