package main

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"strings"
	"time"

	"github.com/feigeio/feige/internal/report/sheet"
)

type reportCmd struct {
	Shop     string   `help:"Shop that the report is about." placeholder:"SHOP" required:""`
	Period   string   `help:"Half-month (2026-11-H1) or day (2026-11-05)." placeholder:"PERIOD" required:""`
	Language string   `help:"zh or en." enum:"zh,en" default:"zh" placeholder:"LANG"`
	Format   []string `help:"html and pdf; both by default." enum:"html,pdf" default:"html,pdf" placeholder:"FORMAT"`
	Dir      string   `help:"Directory to write to." default:"." placeholder:"DIR" type:"path"`
}

func (c reportCmd) Run(a *app) error {
	s, set, span, err := a.about(c.Period)
	if err != nil {
		return err
	}
	conn, err := s.openWarehouse(a.ctx, s.Namespace)
	if err != nil {
		return err
	}
	defer conn.Close()
	data, err := sheet.Read(a.ctx, conn, s.ClickHouse.DatabaseFor(s.Namespace), c.Shop, span, set.Calendar(), time.Now())
	if err != nil {
		if errors.Is(err, a.ctx.Err()) {
			return err
		}
		return withCode(codeUnavailable, err)
	}
	data.Period = c.Period
	rules := set.At(span.Start).Assessment
	data.AssessedTime = rules.AssessedTime.String()
	for _, standard := range rules.Standards {
		data.MinSamples = max(data.MinSamples, standard.MinSamples)
	}
	writers := map[string]func(io.Writer, sheet.Data, sheet.Language) error{"html": sheet.HTML, "pdf": sheet.PDF}
	for _, format := range c.Format {
		var page bytes.Buffer
		if err := writers[format](&page, data, sheet.Language(c.Language)); err != nil {
			return err
		}
		path := filepath.Join(c.Dir, fileName(c.Shop)+"-"+c.Period+"."+format)
		if err := writeWhole(path, page.Bytes()); err != nil {
			return err
		}
		fmt.Fprintln(a.stdout, path)
	}
	if !data.Known {
		return withCode(codeDifference, fmt.Errorf("shop %s has nothing in %s: the report says so", c.Shop, c.Period))
	}
	return nil
}

// fileName makes a file's name of any shop's: what file systems and shells trip over becomes an underscore.
func fileName(shop string) string {
	name := strings.Map(func(r rune) rune {
		if r < ' ' || r == 0x7f || strings.ContainsRune(`/\:*?"<>|'`+"`$;&", r) {
			return '_'
		}
		return r
	}, shop)
	const longest = 80
	if runes := []rune(name); len(runes) > longest {
		name = string(runes[:longest])
	}
	if name = strings.Trim(name, ". "); name == "" || strings.HasPrefix(name, "-") {
		name = "shop" + name
	}
	return name
}

// writeWhole writes a file that appears under its name when it is whole.
func writeWhole(path string, data []byte) error {
	out, err := os.CreateTemp(filepath.Dir(path), "."+filepath.Base(path)+".*")
	if err != nil {
		return fmt.Errorf("writing %s: %w", path, err)
	}
	_, err = out.Write(data)
	if err = errors.Join(err, out.Chmod(0o644), out.Close()); err == nil {
		err = os.Rename(out.Name(), path)
	}
	if err != nil {
		_ = os.Remove(out.Name())
		return fmt.Errorf("writing %s: %w", path, err)
	}
	return nil
}
