package hosts

import (
	"bytes"
	"context"
	"crypto/tls"
	"crypto/x509"
	"encoding/json"
	"net/http"
	"os"
	"slices"
	"time"

	"github.com/payu-mcp/payu-mcp/internal/sandbox"
)

// visited is one opening of the browser.
type visited struct {
	By     string // host or bridge
	Scheme string // of the address that was opened
	Page   string // where it ended, without query
	Status int
}

// visit is the browser with the person before it: user A signs in and agrees.
// Its arguments are a file for the record, who opens it, a CA and the address.
func visit(args []string) int {
	if len(args) < 4 {
		return 1
	}
	ctx, cancel := context.WithTimeout(context.Background(), time.Minute)
	defer cancel()
	page, err := sandbox.Visitor{Client: trusting(args[2]), User: "A"}.Visit(ctx, args[3])
	scheme, _, _ := bytes.Cut([]byte(args[3]), []byte(":"))
	data, _ := json.Marshal(visited{args[1], string(scheme), page.URL, page.Status})
	if to, err := os.OpenFile(args[0], os.O_CREATE|os.O_APPEND|os.O_WRONLY, 0o600); err == nil {
		_, _ = to.Write(append(data, '\n'))
		_ = to.Close()
	}
	if err != nil || page.Status != http.StatusOK {
		return 1
	}
	return 0
}

// trusting is a client that trusts the CA in a file, if it is there.
func trusting(caFile string) *http.Client {
	pool := x509.NewCertPool()
	if pem, err := os.ReadFile(caFile); err == nil {
		pool.AppendCertsFromPEM(pem)
	}
	return &http.Client{Transport: &http.Transport{TLSClientConfig: &tls.Config{RootCAs: pool, MinVersion: tls.VersionTLS12}}}
}

// visits are the openings of the browser so far, by whom: "" is by anybody.
func (c *computer) visits(by string) []visited {
	data, _ := os.ReadFile(c.path("visits.jsonl"))
	var all []visited
	for line := range bytes.Lines(data) {
		var v visited
		if json.Unmarshal(line, &v) == nil {
			all = append(all, v)
		}
	}
	return slices.DeleteFunc(all, func(v visited) bool { return by != "" && v.By != by })
}
