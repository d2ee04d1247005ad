package grafana

import (
	"context"
	"fmt"
	"slices"

	gapi "github.com/grafana/grafana-api-golang-client"

	"github.com/feigeio/feige/dashboards/queries"
)

// Dependencies of a provisioner.
type Dependencies struct {
	// Database that the data source reads where the configuration names none.
	Database string
	// TimeZone of the policy.
	TimeZone string
	// Opens is the period that the boards open with; zero: the newest, up to now.
	Opens Period
}

// Provisioner brings what we make to a Grafana.
type Provisioner struct {
	cfg     Config
	builder Builder
	folder  string
	source  gapi.DataSource
}

// New checks the configuration; nothing is contacted.
func New(cfg Config, deps Dependencies) (*Provisioner, error) {
	if err := cfg.Validate(); err != nil {
		return nil, fmt.Errorf("grafana.%w", err)
	}
	password, err := secret("datasource.password", cfg.Datasource.Password, cfg.Datasource.PasswordFile)
	if err != nil {
		return nil, err
	}
	if cfg.Datasource.Database == "" {
		cfg.Datasource.Database = deps.Database
	}
	p := &Provisioner{cfg: cfg, folder: cfg.Prefix}
	p.builder = Builder{Lang: queries.Lang(cfg.Language), Prefix: cfg.Prefix, ClickHouseUID: cfg.Prefix, PrometheusUID: cfg.PrometheusUID, TimeZone: deps.TimeZone, Opens: deps.Opens}
	if p.builder.TimeZone == "" {
		p.builder.TimeZone = "Asia/Shanghai"
	}
	d := cfg.Datasource
	p.source = gapi.DataSource{
		UID: cfg.Prefix, Name: cfg.Prefix, Type: ClickHouseType, Access: "proxy",
		JSONData: map[string]any{"host": d.Host, "port": d.Port, "protocol": d.Protocol, "username": d.Username, "defaultDatabase": d.Database, "secure": d.Secure},
	}
	if password != "" {
		p.source.SecureJSONData = map[string]any{"password": password}
	}
	return p, nil
}

// Action is what was, or would be, done to one thing.
type Action string

// Actions.
const (
	Unchanged Action = "unchanged"
	Create    Action = "create"
	Update    Action = "update"
	Delete    Action = "delete"
	// Provided things come from files of Grafana's own provisioning and are left alone.
	Provided Action = "provided"
)

// Change is one thing and how Grafana's differs from ours.
type Change struct {
	Kind, Name string
	Action     Action
	// Differences, one a line: place, what is there, what is wanted.
	Differences []string
}

// item is one thing: how it is there, and how to make it right or take it away.
type item struct {
	kind, name string
	look       func() (found bool, differences []string, err error)
	create     func() error
	update     func() error
	remove     func() error
	// provided, if set, tells that files own it.
	provided func() bool
}

// Diff says what Apply would do.
func (p *Provisioner) Diff(ctx context.Context) ([]Change, error) { return p.each(ctx, false) }

// Apply makes Grafana's as ours, and says what it did. A second Apply does nothing.
func (p *Provisioner) Apply(ctx context.Context) ([]Change, error) { return p.each(ctx, true) }

func (p *Provisioner) each(ctx context.Context, apply bool) ([]Change, error) {
	c, err := connect(ctx, p.cfg)
	if err != nil {
		return nil, err
	}
	if err := c.check(ctx); err != nil {
		return nil, err
	}
	var changes []Change
	for _, it := range p.items(c) {
		change, err := it.bring(apply)
		if err != nil {
			return changes, fmt.Errorf("%s %s: %w", it.kind, it.name, plain(err))
		}
		changes = append(changes, change)
	}
	return changes, nil
}

func (it item) bring(apply bool) (Change, error) {
	change := Change{Kind: it.kind, Name: it.name, Action: Unchanged}
	found, differences, err := it.look()
	if err != nil {
		return change, err
	}
	do := it.update
	switch {
	case !found:
		change.Action, do = Create, it.create
	case len(differences) > 0 && it.provided != nil && it.provided():
		change.Action, change.Differences = Provided, differences
		return change, nil
	case len(differences) > 0:
		change.Action, change.Differences = Update, differences
	default:
		return change, nil
	}
	if apply {
		return change, do()
	}
	return change, nil
}

// Delete takes away what Apply made, the folder last. What is not there is no error.
func (p *Provisioner) Delete(ctx context.Context) ([]Change, error) {
	c, err := connect(ctx, p.cfg)
	if err != nil {
		return nil, err
	}
	if _, err := c.Health(); err != nil {
		return nil, plain(err)
	}
	var changes []Change
	for _, it := range slices.Backward(p.items(c)) {
		found, _, err := it.look()
		if err == nil && found {
			if it.provided != nil && it.provided() {
				changes = append(changes, Change{Kind: it.kind, Name: it.name, Action: Provided})
				continue
			}
			err = it.remove()
		}
		if isNotFound(err) {
			found, err = false, nil
		}
		if err != nil {
			return changes, fmt.Errorf("%s %s: %w", it.kind, it.name, plain(err))
		}
		if found {
			changes = append(changes, Change{Kind: it.kind, Name: it.name, Action: Delete})
		}
	}
	return changes, nil
}
