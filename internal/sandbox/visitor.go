package sandbox

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/http/cookiejar"
	"net/url"
	"strconv"
	"strings"
	"time"
)

// Visitor plays the person in a browser: it follows redirects, fills in the
// sandbox's sign-in and consent pages and reads the page at the end.
type Visitor struct {
	// Client reaches the sandbox: it must trust the CA of a TLS sandbox, and with
	// PayUNames go through the proxy for PayU's hosts. Nil is a plain client. A
	// client without a cookie jar gets one for the visit.
	Client *http.Client
	// User is A, B or C; empty is B.
	User string
	// Passphrase is Passphrase when empty.
	Passphrase string
	// Deny chooses "Deny" on the consent page.
	Deny bool
	// Code is what it enters where a code is asked for; empty: what the page shows.
	Code string
}

// Page is where a visit ended.
type Page struct {
	// URL is without query and fragment, where codes and states are.
	URL    string
	Status int
	Body   string
}

const (
	maxSteps   = 12      // pages of one visit
	maxPage    = 1 << 20 // bytes of one page
	maxRefresh = 5 * time.Second
)

// Visit opens a URL and goes on until a page comes that is not a form of the
// sandbox and does not ask to be looked at again. Errors tell the host that did
// not answer, never a query.
func (v Visitor) Visit(ctx context.Context, start string) (Page, error) {
	client, err := v.client()
	if err != nil {
		return Page{}, err
	}
	at, body := start, ""
	for range maxSteps {
		p, again, err := fetch(ctx, client, at, body)
		if err != nil {
			return Page{}, err
		}
		f, isForm := findForm(p.Body)
		switch {
		case isForm && p.Status >= http.StatusBadRequest:
			return p, nil // the passphrase or the code was refused
		case isForm:
			at, body, err = v.fill(p, f)
		case again != nil:
			at, body, err = *again, "", nil
		default:
			return p, nil
		}
		if err != nil {
			return Page{}, err
		}
	}
	return Page{}, errors.New("visiting the sign-in pages: they have no end")
}

func (v Visitor) client() (*http.Client, error) {
	c := http.Client{}
	if v.Client != nil {
		c = *v.Client
	}
	if c.Jar == nil {
		jar, err := cookiejar.New(nil)
		if err != nil {
			return nil, fmt.Errorf("making a cookie jar: %w", err)
		}
		c.Jar = jar
	}
	return &c, nil
}

// fill answers a form as the person would and returns where to send what.
func (v Visitor) fill(p Page, f form) (to, body string, err error) {
	base, err := url.Parse(p.URL)
	if err != nil {
		return "", "", fmt.Errorf("reading a page's address: %w", err)
	}
	action, err := base.Parse(f.action)
	if err != nil {
		return "", "", fmt.Errorf("reading a form's address: %w", err)
	}
	values := f.hidden
	switch f.id {
	case "sign-in":
		values.Set("user", cmp.Or(v.User, "B"))
		values.Set("passphrase", cmp.Or(v.Passphrase, Passphrase))
	case "device":
		values.Set("user_code", cmp.Or(v.Code, values.Get("user_code")))
	case "consent":
		values.Set("decision", "allow")
		if v.Deny {
			values.Set("decision", "deny")
		}
	}
	return action.String(), values.Encode(), nil
}

// fetch gets a page, or posts a form when body is not empty, and follows
// redirects. again is set when the page asks to be looked at again (Refresh).
func fetch(ctx context.Context, c *http.Client, at, body string) (_ Page, again *string, err error) {
	req, err := http.NewRequestWithContext(ctx, http.MethodGet, at, http.NoBody)
	if body != "" {
		req, err = http.NewRequestWithContext(ctx, http.MethodPost, at, strings.NewReader(body))
	}
	if err != nil {
		return Page{}, nil, errors.New("visiting a page: the address is no URL")
	}
	if body != "" {
		req.Header.Set("Content-Type", "application/x-www-form-urlencoded")
	}
	resp, err := c.Do(req)
	if err != nil {
		return Page{}, nil, visitError(err)
	}
	defer resp.Body.Close()
	raw, err := io.ReadAll(io.LimitReader(resp.Body, maxPage))
	if err != nil {
		return Page{}, nil, fmt.Errorf("reading a page of %s: %w", resp.Request.URL.Host, err)
	}
	again, err = refreshOf(ctx, resp)
	u := *resp.Request.URL
	u.RawQuery, u.Fragment = "", ""
	return Page{URL: u.String(), Status: resp.StatusCode, Body: string(raw)}, again, err
}

// visitError drops the URL, which may hold a code.
func visitError(err error) error {
	if e, ok := errors.AsType[*url.Error](err); ok {
		host := "a page"
		if u, parseErr := url.Parse(e.URL); parseErr == nil {
			host = u.Host
		}
		return fmt.Errorf("visiting %s: %w", host, e.Err)
	}
	return fmt.Errorf("visiting a page: %w", err)
}

// refreshOf honours a Refresh header: it waits and returns the page's own URL.
func refreshOf(ctx context.Context, resp *http.Response) (*string, error) {
	seconds, err := strconv.Atoi(resp.Header.Get("Refresh"))
	if err != nil {
		return nil, nil
	}
	t := time.NewTimer(min(time.Duration(seconds)*time.Second, maxRefresh))
	defer t.Stop()
	select {
	case <-t.C:
		at := resp.Request.URL.String()
		return &at, nil
	case <-ctx.Done():
		return nil, fmt.Errorf("waiting for a page: %w", ctx.Err())
	}
}
