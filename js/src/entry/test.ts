export { testClock } from "../testing/clock.js";
export { testServer } from "../testing/server.js";
