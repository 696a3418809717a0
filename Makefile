# Each target is one command that also works when typed by hand; .ci/run uses the same ones.
TOOL := go tool -modfile=tools/go.mod
FUZZTIME ?= 20s

.PHONY: build test race lint fmt fuzz security security-red bench demo e2e e2e-hosts release-snapshot
build: ; CGO_ENABLED=0 go build -trimpath -o payu-mcp ./cmd/payu-mcp
test: ; go test ./...
race: ; go test -race ./...
lint: ; $(TOOL) golangci-lint run && (cd e2e && go tool -modfile=../tools/go.mod golangci-lint run) && cd tools && go tool golangci-lint run ./security ./packages && ./dead && ./workflows
fmt: ; $(TOOL) golangci-lint fmt && (cd e2e && go tool -modfile=../tools/go.mod golangci-lint fmt) && cd tools && go tool golangci-lint fmt ./security ./packages
fuzz: ; tools/fuzz $(FUZZTIME)
security: ; go test -C tools ./security && go run -C tools ./security -check
security-red: ; go run -C tools ./security -red -write $(RED)
bench: ; cd e2e && go run ./bench $(BENCH)
demo: ; go run ./cmd/payu-mcp demo
e2e: ; e2e/install.sh && cd e2e && go test -count=1 -p 1 -timeout 25m ./...
e2e-hosts: ; e2e/install.sh && e2e/hosts/install.sh claude-code codex opencode copilot qwen && cd e2e && E2E_HOSTS=all go test -v -count=1 -timeout 30m ./hosts
release-snapshot: ; tools/release/snapshot
