package auth

import (
	"errors"
	"fmt"

	"github.com/payu-mcp/payu-mcp/internal/hint"
)

// Check tells whether the addresses in cfg can be what they are said to be. New
// refuses what it refuses; each error has a hint that names the option.
func (cfg *Config) Check() error {
	var documentErr, metadataErr error
	if cfg.ClientMetadataURL != "" {
		documentErr = checkClientDocument(cfg.ClientMetadataURL)
	}
	if cfg.ServerMetadataURL != "" {
		if _, err := checkURL(cfg.ServerMetadataURL, IsLoopback(cfg.Resource)); err != nil {
			metadataErr = hint.With(fmt.Errorf("the place of the authorization server metadata: %w", err), "give it as --auth-server-metadata-url https://HOST/PATH")
		}
	}
	return errors.Join(CheckEndpoint(cfg.Resource), documentErr, metadataErr, checkIndicator(cfg.ResourceIndicator))
}
