// Command feige is the product: every role of it alone, or all of them in one process.
//
// It is the composition root. It reads the configuration, builds what a subcommand needs, and hands it
// to a group of services; each subcommand is one file. It must hold no rule and no plumbing that another
// package could hold.
package main

import (
	"context"
	"fmt"
	"io"
	"os"
	"strings"

	"github.com/alecthomas/kong"

	"github.com/feigeio/feige/internal/ops"
)

func main() {
	os.Exit(run(os.Args[1:], os.Environ(), os.Stdout, os.Stderr))
}

// commandLine is the grammar of the command line. Global flags outweigh the environment and the file.
type commandLine struct {
	Config    string   `help:"YAML file with the configuration (default: feige.yaml in the working directory, if there)." placeholder:"FILE" env:"FEIGE_CONFIG"`
	Namespace *string  `help:"Prefix of topics, groups, and database; empty is the live one." placeholder:"NAME"`
	DataDir   string   `help:"Where embedded engines keep their data." placeholder:"DIR"`
	LogLevel  string   `help:"debug, info, warn, or error." placeholder:"LEVEL"`
	Set       []string `help:"Set any key of the configuration: --set kafka.client_id=x. Repeatable." placeholder:"KEY=VALUE" sep:"none"`

	Run         runCmd         `cmd:"" help:"Start everything in one process, replay the example chats, print the decisions, go on with simulated traffic."`
	Up          upCmd          `cmd:"" help:"Start everything in one process on embedded Kafka and ClickHouse."`
	Processors  processorsCmd  `cmd:"" help:"Run the processors against Kafka."`
	Sinks       sinksCmd       `cmd:"" help:"Run the sinks from Kafka to ClickHouse."`
	Relay       relayCmd       `cmd:"" help:"Run the chat relay against Kafka."`
	Bot         botCmd         `cmd:"" help:"Run the reception bot against Kafka."`
	Console     consoleCmd     `cmd:"" help:"Run the reviewers' desk and its API against Kafka and ClickHouse."`
	Token       tokenCmd       `cmd:"" help:"Make a token for the chat relay, for trials."`
	Chat        chatCmd        `cmd:"" help:"Chat in the terminal."`
	Bench       benchCmd       `cmd:"" help:"Measure."`
	Clock       clockCmd       `cmd:"" help:"Publish the ticks that move event time on in quiet times, and the shields of sanctions."`
	Simulate    simulateCmd    `cmd:"" help:"Publish simulated traffic."`
	Replay      replayCmd      `cmd:"" help:"Publish recorded chats from CSV or JSONL files."`
	Topics      topicsCmd      `cmd:"" help:"Create the topics."`
	Schema      schemaCmd      `cmd:"" help:"Create or upgrade the ClickHouse tables."`
	Audit       auditCmd       `cmd:"" help:"Recompute everything from chat.events and compare with ClickHouse."`
	Report      reportCmd      `cmd:"" help:"Write a page about a shop's half-month, HTML and PDF."`
	Export      exportCmd      `cmd:"" help:"Write the rows of a period to a file: CSV, XLSX, or Parquet."`
	DeadLetters deadLettersCmd `cmd:"" name:"dead-letters" help:"List or re-submit records that could not be processed."`
	Dashboards  dashboardsCmd  `cmd:"" help:"Bring the boards to Grafana, compare, or export them."`
	Policy      policyCmd      `cmd:"" help:"Show or check the policy."`
	Moderation  moderationCmd  `cmd:"" help:"Judge a text, measure the detectors, train the classifiers."`
	ShowConfig  configCmd      `cmd:"" name:"config" help:"Print the effective configuration, secrets masked."`
	Doctor      doctorCmd      `cmd:"" help:"Check the set-up, the engines, and the pipeline; say what to do."`
	Ready       readyCmd       `cmd:"" help:"Ask the running instance whether it is ready (for container health checks)."`
	Setup       setupCmd       `cmd:"" help:"Fetch the ClickHouse library that embedded mode needs."`
	Version     versionCmd     `cmd:"" help:"Print version and build."`
}

// kongExit carries the exit code that kong asks for after --help.
type kongExit int

// run is main without the process: it returns the exit code.
func run(args, environ []string, stdout, stderr io.Writer) (code int) {
	var line commandLine
	defer func() {
		if r := recover(); r != nil {
			asked, ok := r.(kongExit)
			if !ok {
				panic(r)
			}
			code = int(asked)
		}
	}()
	parser, err := kong.New(&line,
		kong.Name("feige"),
		kong.Description("Chats in, half-month decisions out.\n\n"+exitCodesHelp),
		kong.Writers(stdout, stderr),
		kong.Exit(func(code int) { panic(kongExit(code)) }),
		kong.ConfigureHelp(kong.HelpOptions{Compact: true, WrapUpperBound: 100}),
	)
	if err != nil {
		return fail(stderr, fmt.Errorf("command line: %w", err))
	}
	if len(args) == 0 {
		args = []string{"--help"}
	}
	parsed, err := parser.Parse(args)
	if err != nil {
		return fail(stderr, withCode(codeUsage, fmt.Errorf("%w (feige --help lists the commands)", err)))
	}
	ctx, stop := ops.WithSignals(context.Background(), func() {
		fmt.Fprintln(stderr, "feige: stopped at once by a second signal")
		os.Exit(codeInterrupted)
	})
	defer stop()
	a := &app{ctx: ctx, line: &line, environ: environ, stdout: stdout, stderr: stderr}
	return fail(stderr, parsed.Run(a))
}

// fail prints the one line that the user sees of an error and returns its exit code.
func fail(stderr io.Writer, err error) int {
	if err == nil {
		return codeOK
	}
	if text := err.Error(); text != "" {
		fmt.Fprintln(stderr, "feige: "+strings.ReplaceAll(strings.TrimSpace(text), "\n", "; "))
	}
	return codeOf(err)
}
