// Package loopback is the redirect listener of a sign-in and the pages that it
// shows (RFC 8252 sections 7.3 and 8.3). It binds 127.0.0.1 only, hands on the
// first callback that its caller accepts, holds the browser's answer until the
// caller says how the sign-in ended, and then shows one constant page. It knows
// no OAuth: which callback is the right one is the caller's question.
//
// It imports nothing of ours.
package loopback
