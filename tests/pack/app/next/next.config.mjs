export default { output: "export", basePath: "/next", turbopack: { root: "/" } };
