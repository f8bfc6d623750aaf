import {Component} from "@odoo/owl";
import {Domain} from "@web/core/domain";
import {DropdownItem} from "@web/core/dropdown/dropdown_item";
import {STATIC_ACTIONS_GROUP_NUMBER} from "@web/search/action_menus/action_menus";
import {download} from "@web/core/network/download";
import {registry} from "@web/core/registry";
import {user} from "@web/core/user";
import {useService} from "@web/core/utils/hooks";

/** The rows of a view as an Excel file with totals and definitions. */
export class XlsxMenu extends Component {
    static template = "garage_loyalty.XlsxMenu";
    static components = {DropdownItem};
    static props = {};

    setup() {
        this.ui = useService("ui");
    }

    async download() {
        this.ui.block();
        try {
            await download({url: "/garage_loyalty/xlsx", data: this.getQuery()});
        } finally {
            this.ui.unblock();
        }
    }

    getQuery() {
        const {config, model, searchModel} = this.env;
        const isList = config.viewType === "list";
        const order = isList ? model.root.orderBy : [];
        const context = {...user.context, ...searchModel.globalContext};
        return {
            model: searchModel.resModel,
            domain: new Domain(searchModel.domain).toString(),
            order: order
                .filter(({name}) => name in model.config.fields)
                .map(({name, asc}) => (asc ? name : `${name} desc`))
                .join(", "),
            view_id: (isList && config.viewId) || "",
            context: JSON.stringify(context),
        };
    }
}

registry.category("cogMenu").add(
    "garage-loyalty-xlsx-menu",
    {
        Component: XlsxMenu,
        groupNumber: STATIC_ACTIONS_GROUP_NUMBER,
        isDisplayed: async ({config}) =>
            ["list", "pivot"].includes(config.viewType) &&
            config.viewArch?.hasAttribute("loyalty_xlsx") &&
            (await user.hasGroup("base.group_allow_export")),
    },
    {sequence: 11}
);
