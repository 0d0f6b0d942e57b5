// No test here has a limit of its own: what takes long on a busy machine is no fault. What hangs is ended where nothing has moved for so long.
const limit = 600_000;
export default { test: { include: ["*.test.js"], maxWorkers: 2, testTimeout: limit, hookTimeout: limit } };
