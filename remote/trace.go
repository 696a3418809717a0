package remote

import (
	"context"
	"log/slog"
	"net/http"
	"time"

	"github.com/payu-mcp/payu-mcp/internal/nettransport"
	"github.com/payu-mcp/payu-mcp/internal/printable"
)

// note logs one try, so that PayU's support finds each of them by its id, also
// those that no request of the host carries (HOSTS C10).
func (x *exchange) note(ctx context.Context, resp *http.Response, err error) {
	log := x.client.log
	if !log.Enabled(ctx, slog.LevelDebug) {
		return
	}
	line := make([]slog.Attr, 0, 5)
	line = append(line, slog.String("verb", x.verb))
	if x.msg.Method != "" {
		line = append(line, slog.String("method", printable.Word(x.msg.Method)))
	}
	line = append(line, slog.Float64("ms", float64(time.Since(x.at).Microseconds())/1000), slog.String("request_id", x.requestID))
	if err != nil {
		line = append(line, slog.String("error", nettransport.Cause(err)))
	} else {
		line = append(line, slog.Int("status", resp.StatusCode))
	}
	log.LogAttrs(ctx, slog.LevelDebug, "http", line...)
}
