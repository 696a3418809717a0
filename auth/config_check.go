package auth

import (
	"errors"
	"fmt"

	"github.com/payu-mcp/payu-mcp/internal/hint"
)

// Check tells whether the addresses in cfg can be what they are said to be: all
// that New demands of them.
func (cfg *Config) Check() error {
	var documentErr, metadataErr error
	if cfg.ClientMetadataURL != "" {
		documentErr = checkClientDocument(cfg.ClientMetadataURL)
	}
	if cfg.ServerMetadataURL != "" {
		if _, err := checkURL(cfg.ServerMetadataURL, IsLoopback(cfg.Resource)); err != nil {
			metadataErr = hint.With(fmt.Errorf("--auth-server-metadata-url: %w", err), "give the https address of the metadata document: --auth-server-metadata-url https://HOST/PATH")
		}
	}
	return errors.Join(CheckEndpoint(cfg.Resource), documentErr, metadataErr, checkIndicator(cfg.ResourceIndicator))
}
