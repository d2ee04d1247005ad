# make run            everything on one machine: replay, decisions, live traffic (ARGS=--once ends after the decisions)
# make test           sets up what the tests need and runs them
GO        ?= go
ARGS      ?=
N         ?= 200
VERSION   ?= $(shell git describe --tags --always --dirty 2>/dev/null || echo dev)
LDFLAGS   := -s -w -X main.version=$(VERSION)
# The race detector needs a C compiler.
RACE      := $(if $(shell command -v gcc || command -v clang),-race,)
BIN       := $(CURDIR)/bin
GOLANGCI  ?= golangci-lint

.PHONY: build run test detectorless unit lint generate bench bench-boards crash doctor clean toolchain

toolchain:
	@command -v $(GO) >/dev/null || { echo "make: Go 1.26 or newer is needed: see https://go.dev/dl"; exit 1; }
	@command -v npm >/dev/null || echo "make: npm is not there: embedded ClickHouse can only be set up by hand (feige setup says how)"

build: toolchain
	@mkdir -p $(BIN)
	CGO_ENABLED=0 $(GO) build -buildvcs=false -trimpath -ldflags '$(LDFLAGS)' -o $(BIN)/feige ./cmd/feige

run: build
	@$(BIN)/feige run $(ARGS)

test: build
	$(BIN)/feige setup
	@test -n "$(RACE)" || echo "make: no C compiler: the tests run without the race detector"
	$(GO) test -buildvcs=false $(RACE) -timeout 20m ./...
	@test -z "$(RACE)" || $(MAKE) --no-print-directory detectorless

# What the race detector leaves out or makes too slow: broken brokers, and all scenarios against the oracle.
detectorless:
	$(GO) test -buildvcs=false -timeout 20m -run 'Broker|Refus' ./processors/stream
	$(GO) test -buildvcs=false -timeout 20m -run Rules ./e2e

# Without the long tests, while editing.
unit: toolchain
	$(GO) test -buildvcs=false -short -timeout 5m ./...

lint: toolchain
	@test -z "$$(gofmt -l $$(git ls-files '*.go'))" || { gofmt -l $$(git ls-files '*.go'); exit 1; }
	$(GO) vet -buildvcs=false ./...
	$(GOLANGCI) run

# The tools' versions are pinned in tools/go.mod.
generate: toolchain
	cd tools && GOBIN=$(BIN) $(GO) install github.com/bufbuild/buf/cmd/buf \
		google.golang.org/protobuf/cmd/protoc-gen-go github.com/planetscale/vtprotobuf/cmd/protoc-gen-go-vtproto
	cd schemas && PATH=$(BIN):$$PATH buf generate

bench: build
	$(BIN)/feige setup
	$(GO) test -buildvcs=false -run '^$$' -bench . -benchmem -timeout 60m ./...

# Every panel's query over 20 million events of 10,000 shops; some minutes, and 3 GB of disk. FEIGE_BOARDS_DIR keeps the data.
bench-boards: build
	$(BIN)/feige setup
	FEIGE_BOARDS_EVENTS=$${FEIGE_BOARDS_EVENTS:-20000000} $(GO) test -buildvcs=false -count=1 -timeout 60m -run "TestSpeed|TestViews" -v ./dashboards/queries

# Kills the process N times during a replay and compares afterwards.
crash: build
	$(BIN)/feige setup
	FEIGE_TEST_KILLS=$(N) $(GO) test -buildvcs=false -count=1 -timeout 120m -run Crash -v ./e2e/...

doctor: build
	@$(BIN)/feige doctor

clean:
	rm -rf bin data dist rejects
