package main

import (
	"fmt"
	"io"
	"os"
	"strings"
	"time"

	"github.com/feigeio/feige/internal/moderation"
	"github.com/feigeio/feige/internal/moderation/classify"
	"github.com/feigeio/feige/internal/moderation/evaluate"
	"github.com/feigeio/feige/internal/policy"
)

type moderationCmd struct {
	Check moderationCheckCmd `cmd:"" help:"Judge a text and explain the verdict."`
	Eval  moderationEvalCmd  `cmd:"" help:"Measure the detectors on a labelled CSV file: precision, recall, F1, false positives per 1,000, throughput."`
	Train moderationTrainCmd `cmd:"" help:"Train a classifier from labelled CSV files by its recipe and print its cross-validated figures."`
}

type moderationCheckCmd struct {
	Text string `arg:"" optional:"" help:"The text; read from standard input when left out."`
	Side string `help:"Who wrote it; categories that do not bind the side are left out." enum:"consumer,merchant," default:""`
}

func (c moderationCheckCmd) Run(a *app) error {
	text := c.Text
	if text == "" {
		data, err := io.ReadAll(io.LimitReader(os.Stdin, 1<<20))
		if err != nil {
			return fmt.Errorf("reading the text: %w", err)
		}
		text = strings.TrimRight(string(data), "\r\n")
	}
	m, p, err := a.moderator()
	if err != nil {
		return err
	}
	return evaluate.Explain(a.stdout, m, moderation.Subject{Text: text, Side: policy.Side(c.Side), Policy: p})
}

// moderator is one with the configured word packs, and the policy in force now.
func (a *app) moderator() (*moderation.Moderator, *policy.Policy, error) {
	s, err := a.settings()
	if err != nil {
		return nil, nil, err
	}
	set, err := s.policySet()
	if err != nil {
		return nil, nil, err
	}
	m, err := moderation.New(s.Moderation, moderation.Dependencies{})
	if err != nil {
		return nil, nil, withCode(codeUsage, err)
	}
	return m, set.At(time.Now().UnixMicro()), nil
}

type moderationEvalCmd struct {
	File        string `arg:"" help:"CSV with a header, gzipped or not: labels (0 or 1) and texts." type:"existingfile"`
	Category    string `help:"Count flags of this category only (abuse, third_party_info, …); any when left out. For abuse, and for ads, the classifier is measured by itself, too."`
	LabelColumn string `help:"Column of the labels; label and the like when left out." placeholder:"NAME"`
	TextColumn  string `help:"Column of the texts; text and the like when left out." placeholder:"NAME"`
	Mistakes    int    `help:"Print so many of the texts that were judged wrong." default:"0"`
}

func (c moderationEvalCmd) Run(a *app) error {
	m, p, err := a.moderator()
	if err != nil {
		return err
	}
	file, err := evaluate.ReadFile(c.File, evaluate.Columns{Label: c.LabelColumn, Text: c.TextColumn})
	if err != nil {
		return withCode(codeBadData, err)
	}
	if judge, err := evaluate.Classifier(m, c.Category); err == nil {
		if err := c.measure(a, "classifier "+c.Category+", by itself, at its own threshold", judge, file); err != nil {
			return err
		}
		fmt.Fprintln(a.stdout)
	}
	category, title := c.Category, "verdicts: flags of "+c.Category
	switch category {
	case "":
		title = "verdicts: any flag"
	case "ads":
		category = policy.CategoryThirdPartyInfo
		title = "verdicts: flags of " + category
	}
	return c.measure(a, title, evaluate.Verdicts(m, p, category), file)
}

func (c moderationEvalCmd) measure(a *app, title string, judge evaluate.Judge, file *evaluate.File) error {
	fmt.Fprintln(a.stdout, title)
	left := c.Mistakes
	figures, err := evaluate.Measure(a.ctx, judge, file.Examples, func(e classify.Example) {
		if left > 0 {
			left--
			word := "missed"
			if !e.Label {
				word = "wrongly flagged"
			}
			fmt.Fprintf(a.stdout, "%s: %s\n", word, strings.ReplaceAll(e.Text, "\n", " "))
		}
	})
	if err != nil {
		return err
	}
	return figures.Write(a.stdout)
}

type moderationTrainCmd struct {
	Recipe  string   `arg:"" help:"abuse or ads." enum:"abuse,ads"`
	Files   []string `arg:"" help:"CSV files with a header: labels (0 or 1) and texts." type:"existingfile"`
	Out     string   `help:"Where to write the model; only the figures are printed when left out." placeholder:"FILE"`
	Version string   `help:"The model's version." default:"local"`
}

func (c moderationTrainCmd) Run(a *app) error {
	var files []*evaluate.File
	for _, path := range c.Files {
		file, err := evaluate.ReadFile(path, evaluate.Columns{})
		if err != nil {
			return withCode(codeBadData, err)
		}
		files = append(files, file)
	}
	model, err := evaluate.Train(c.Recipe, c.Version, files)
	if err != nil {
		return withCode(codeBadData, err)
	}
	if err := evaluate.WriteCard(a.stdout, model.Card); err != nil {
		return err
	}
	if c.Out == "" {
		return nil
	}
	out, err := os.Create(c.Out)
	if err != nil {
		return fmt.Errorf("creating the model file: %w", err)
	}
	if err := model.Write(out); err != nil {
		out.Close()
		return err
	}
	if err := out.Close(); err != nil {
		return fmt.Errorf("closing the model file: %w", err)
	}
	fmt.Fprintf(a.stdout, "written to %s\n", c.Out)
	return nil
}
