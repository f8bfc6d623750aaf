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
