package nettransport

import (
	"errors"
	"net/http"
	"net/url"
)

// ProxyFor returns the proxy that a request to target takes under o: o's own or
// the environment's, which is read once per process; nil: none. Neither it nor an
// error says anything that may be a password.
func ProxyFor(o Options, target string) (*url.URL, error) {
	choose, err := proxyFunc(o.Proxy)
	if err != nil {
		return nil, err
	}
	u, err := url.Parse(target)
	if err != nil {
		return nil, errors.New("the endpoint is not a URL")
	}
	proxy, err := choose(&http.Request{URL: u})
	if err != nil {
		return nil, errors.New("the environment names no usable proxy")
	}
	return proxy, nil
}
