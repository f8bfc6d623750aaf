{
    "name": "Garage Loyalty Dashboard",
    "summary": "One page that says whether the loyalty programme works",
    "version": "19.0.1.0.0",
    "category": "Productivity/Dashboard",
    "license": "LGPL-3",
    "author": "Garage Loyalty maintainers",
    "development_status": "Beta",
    "depends": ["garage_loyalty", "spreadsheet_dashboard"],
    "data": ["data/spreadsheet_dashboard_data.xml"],
    "auto_install": True,
}
