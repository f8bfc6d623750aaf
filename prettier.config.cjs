// The Odoo community's style: 88 columns, no spaces in brackets, one attribute a line in XML.
const path = require("path");

/** @type {import('prettier').Config} */
module.exports = {
    bracketSpacing: false,
    printWidth: 88,
    proseWrap: "preserve",
    semi: true,
    trailingComma: "es5",
    xmlWhitespaceSensitivity: "preserve",
    plugins: [
        path.join(
            __dirname,
            ".dev/node/node_modules/@prettier/plugin-xml/src/plugin.js"
        ),
    ],
};
