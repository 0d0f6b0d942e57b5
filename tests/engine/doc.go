// Package engine runs real browsers of three engines for tests: Chromium, Firefox and WebKitGTK, each without a screen, over a profile
// directory that stays when the browser is killed. No driver is used: a browser is started with a page of the test's own, and each page of
// the test calls home over a WebSocket (agent.js) and evaluates what it is told.
package engine
