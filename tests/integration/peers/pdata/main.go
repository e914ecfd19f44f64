// SPDX-License-Identifier: Apache-2.0

// Reads OTLP with the Collector's own parsers.
//
//	pdata FILE.jsonl …                              counts what is in JSON lines, and prints one JSON object
//	pdata canonical SIGNAL FILE.pb|FILE.json …      prints what it sees in each request in canonical form, a line each
package main

import (
	"bufio"
	"encoding/json"
	"fmt"
	"os"
	"strings"

	"go.opentelemetry.io/collector/pdata/plog"
	"go.opentelemetry.io/collector/pdata/pmetric"
	"go.opentelemetry.io/collector/pdata/ptrace"
)

type counts struct {
	Lines  int            `json:"lines"`
	Spans  int            `json:"spans"`
	Points int            `json:"points"`
	Logs   int            `json:"records"`
	Labels map[string]int `json:"labels"`
}

func text(span ptrace.Span, key string) string {
	value, ok := span.Attributes().Get(key)
	if !ok {
		return ""
	}
	return value.AsString()
}

func (c *counts) addSpans(traces ptrace.Traces) {
	c.Spans += traces.SpanCount()
	for i := range traces.ResourceSpans().Len() {
		scopes := traces.ResourceSpans().At(i).ScopeSpans()
		for j := range scopes.Len() {
			spans := scopes.At(j).Spans()
			for k := range spans.Len() {
				c.Labels[text(spans.At(k), "anomaly.type")+"/"+text(spans.At(k), "anomaly.label_source")]++
			}
		}
	}
}

func (c *counts) add(line []byte) error {
	c.Lines++
	switch {
	case strings.HasPrefix(string(line), `{"resourceSpans"`):
		traces, err := (&ptrace.JSONUnmarshaler{}).UnmarshalTraces(line)
		if err == nil {
			c.addSpans(traces)
		}
		return err
	case strings.HasPrefix(string(line), `{"resourceMetrics"`):
		metrics, err := (&pmetric.JSONUnmarshaler{}).UnmarshalMetrics(line)
		if err == nil {
			c.Points += metrics.DataPointCount()
		}
		return err
	case strings.HasPrefix(string(line), `{"resourceLogs"`):
		logs, err := (&plog.JSONUnmarshaler{}).UnmarshalLogs(line)
		if err == nil {
			c.Logs += logs.LogRecordCount()
		}
		return err
	}
	return fmt.Errorf("no resourceSpans, resourceMetrics or resourceLogs at the start")
}

func (c *counts) addFile(path string) error {
	file, err := os.Open(path)
	if err != nil {
		return err
	}
	defer file.Close()
	lines := bufio.NewScanner(file)
	lines.Buffer(nil, 64<<20)
	for lines.Scan() {
		if err := c.add(lines.Bytes()); err != nil {
			return fmt.Errorf("%s:%d: %w", path, c.Lines, err)
		}
	}
	return lines.Err()
}

func printCanonical(signal string, paths []string) error {
	for _, path := range paths {
		data, err := os.ReadFile(path)
		if err != nil {
			return err
		}
		seen, err := readCanonical(signal, data, strings.HasSuffix(path, ".json"))
		if err != nil {
			return fmt.Errorf("%s: %w", path, err)
		}
		if err := json.NewEncoder(os.Stdout).Encode(seen); err != nil {
			return err
		}
	}
	return nil
}

func main() {
	if len(os.Args) > 3 && os.Args[1] == "canonical" {
		if err := printCanonical(os.Args[2], os.Args[3:]); err != nil {
			fmt.Fprintln(os.Stderr, "pdata:", err)
			os.Exit(1)
		}
		return
	}
	total := counts{Labels: map[string]int{}}
	for _, path := range os.Args[1:] {
		if err := total.addFile(path); err != nil {
			fmt.Fprintln(os.Stderr, "pdata:", err)
			os.Exit(1)
		}
	}
	json.NewEncoder(os.Stdout).Encode(total)
}
