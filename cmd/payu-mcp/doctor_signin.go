package main

import (
	"context"
	"strconv"
	"time"

	"github.com/payu-mcp/payu-mcp/internal/diagnose"
)

// What a sign-in needs of this computer: a port, and a browser. Neither is used.

func (d *doctor) callback(ctx context.Context) diagnose.Findings {
	port := "a free port"
	if n := d.o.login.CallbackPort; n != 0 {
		port = "port " + strconv.Itoa(n)
	}
	if sum, err := peekSummary(d.o, d.p.endpoint); err == nil && sum != nil && time.Now().Before(sum.OpenUntil) {
		return diagnose.Found(fine("callback", diagnose.Here, "a sign-in is open and may have "+port+"; it is not looked at now"))
	}
	if err := d.p.auth.CheckCallback(ctx); err != nil {
		return diagnose.Found(faultOf("callback", diagnose.Here, err))
	}
	return diagnose.Found(fine("callback", diagnose.Here, port+" of 127.0.0.1 can be had for the answer of a sign-in"))
}

// browser warns only: a person can open the address by hand.
func (d *doctor) browser(ctx context.Context) diagnose.Findings {
	if err := d.p.opener.Check(ctx); err != nil {
		l := faultOf("browser", diagnose.Here, err)
		l.Result = diagnose.Warning
		return diagnose.Found(l)
	}
	return diagnose.Found(fine("browser", diagnose.Here, "there is a program that opens the sign-in page"))
}
