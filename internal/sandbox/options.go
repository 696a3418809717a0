package sandbox

import (
	"errors"
	"net/http"
	"time"
)

// Role names who received a request.
type Role string

// The roles.
const (
	RoleResource Role = "RS"      // plays api.payu.in
	RoleAccounts Role = "AS"      // plays accounts.payu.in
	RoleProxy    Role = "PROXY"   // the CONNECT proxy
	RoleForeign  Role = "FOREIGN" // somebody else: must stay without requests
)

// Options are settled at Start (PAYU S1, S2).
type Options struct {
	// TLS serves https with a CA of its own, see CAPEM. Foreign and proxy stay plain.
	TLS bool
	// HTTP2 offers HTTP/2 beside HTTP/1.1; without TLS with prior knowledge.
	HTTP2 bool
	// OnePort serves both roles on one origin, the shape of MCP 2025-03-26.
	OnePort bool
	// PayUNames makes metadata name https://api.payu.in and
	// https://accounts.payu.in, reachable through ProxyURL. It needs TLS.
	PayUNames bool
	// Now drives token and code expiry, the merchant selection's life and report
	// links. Nil is time.Now.
	Now func() time.Time
	// Knobs are the first values of what Change changes later.
	Knobs Knobs
	// Wrap, when set, wraps the handler of RS and AS beneath the request log: the
	// seam for faults.
	Wrap func(Role, http.Handler) http.Handler
}

func (o *Options) settle() error {
	if o.PayUNames && (!o.TLS || o.OnePort) {
		return errors.New("starting the sandbox: PayU's names need TLS and two ports")
	}
	if o.Now == nil {
		o.Now = time.Now
	}
	return nil
}
