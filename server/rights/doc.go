// Package rights says who asks, and what they may do. It knows names of streams and nothing of what is in them.
package rights
