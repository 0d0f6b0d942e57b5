// Package web is a request and its answer, whatever they are about: who asks, the body within its limits, problems, packing, waiting for news
// by a long poll or server-sent events, and pages of other origins. What is asked for is in actions and data, which are built on it.
package web
