// A test waits no longer than the suite's default.
export default { test: { include: ["*.test.js"], maxWorkers: 2 } };
