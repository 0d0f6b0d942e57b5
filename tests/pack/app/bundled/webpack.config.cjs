module.exports = { mode: "production", context: __dirname, entry: "./main.js", output: { path: `${__dirname}/webpack`, filename: "main.js" } };
