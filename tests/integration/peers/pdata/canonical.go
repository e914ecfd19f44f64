// SPDX-License-Identifier: Apache-2.0

package main

import (
	"encoding/hex"
	"encoding/json"
	"fmt"
	"math"
	"sort"

	"go.opentelemetry.io/collector/pdata/pcommon"
	"go.opentelemetry.io/collector/pdata/plog"
	"go.opentelemetry.io/collector/pdata/pmetric"
	"go.opentelemetry.io/collector/pdata/ptrace"
)

// The canonical form of tests/integration/support/otlp_model.py: zero values and empty messages left out, attributes sorted by key and
// kept when a key comes twice, doubles as the hexadecimal digits of their bits, bytes as hexadecimal digits.

type object map[string]any

func (o object) number(key string, value int64) {
	if value != 0 {
		o[key] = value
	}
}

func (o object) unsigned(key string, value uint64) {
	if value != 0 {
		o[key] = value
	}
}

func (o object) text(key, value string) {
	if value != "" {
		o[key] = value
	}
}

func (o object) real(key string, value float64) {
	if math.Float64bits(value) != 0 {
		o[key] = bits(value)
	}
}

func (o object) child(key string, value object) {
	if len(value) > 0 {
		o[key] = value
	}
}

func (o object) list(key string, value []any) {
	if len(value) > 0 {
		o[key] = value
	}
}

func bits(value float64) string {
	return fmt.Sprintf("%016x", math.Float64bits(value))
}

func all[T any](n int, at func(int) T, convert func(T) object) []any {
	var list []any
	for i := range n {
		list = append(list, convert(at(i)))
	}
	return list
}

func anyValue(value pcommon.Value) object {
	switch value.Type() {
	case pcommon.ValueTypeStr:
		return object{"stringValue": value.Str()}
	case pcommon.ValueTypeBool:
		return object{"boolValue": value.Bool()}
	case pcommon.ValueTypeInt:
		return object{"intValue": value.Int()}
	case pcommon.ValueTypeDouble:
		return object{"doubleValue": bits(value.Double())}
	case pcommon.ValueTypeBytes:
		return object{"bytesValue": hex.EncodeToString(value.Bytes().AsRaw())}
	case pcommon.ValueTypeSlice:
		values := object{}
		values.list("values", all(value.Slice().Len(), value.Slice().At, anyValue))
		return object{"arrayValue": values}
	case pcommon.ValueTypeMap:
		values := object{}
		values.list("values", pairs(value.Map()))
		return object{"kvlistValue": values}
	}
	return object{}
}

func pairs(attributes pcommon.Map) []any {
	var list []any
	sortKeys := []string{}
	for key, value := range attributes.All() {
		pair := object{}
		pair.text("key", key)
		pair.child("value", anyValue(value))
		text, _ := json.Marshal(pair)
		list = append(list, pair)
		sortKeys = append(sortKeys, key+"\x00"+string(text))
	}
	sort.Sort(byKey{list, sortKeys})
	return list
}

type byKey struct {
	list []any
	keys []string
}

func (b byKey) Len() int           { return len(b.list) }
func (b byKey) Less(i, j int) bool { return b.keys[i] < b.keys[j] }
func (b byKey) Swap(i, j int) {
	b.list[i], b.list[j] = b.list[j], b.list[i]
	b.keys[i], b.keys[j] = b.keys[j], b.keys[i]
}

func resource(r pcommon.Resource) object {
	o := object{}
	o.list("attributes", pairs(r.Attributes()))
	o.unsigned("droppedAttributesCount", uint64(r.DroppedAttributesCount()))
	return o
}

func scope(s pcommon.InstrumentationScope) object {
	o := object{}
	o.text("name", s.Name())
	o.text("version", s.Version())
	o.list("attributes", pairs(s.Attributes()))
	o.unsigned("droppedAttributesCount", uint64(s.DroppedAttributesCount()))
	return o
}

func envelope(key string, about object, schemaURL, listKey string, list []any) object {
	o := object{}
	o.child(key, about)
	o.text("schemaUrl", schemaURL)
	o.list(listKey, list)
	return o
}

func (o object) ids(trace pcommon.TraceID, span pcommon.SpanID) {
	o.text("traceId", trace.String())
	o.text("spanId", span.String())
}

// ---- traces ----

func event(e ptrace.SpanEvent) object {
	o := object{}
	o.unsigned("timeUnixNano", uint64(e.Timestamp()))
	o.text("name", e.Name())
	o.list("attributes", pairs(e.Attributes()))
	o.unsigned("droppedAttributesCount", uint64(e.DroppedAttributesCount()))
	return o
}

func link(l ptrace.SpanLink) object {
	o := object{}
	o.ids(l.TraceID(), l.SpanID())
	o.text("traceState", l.TraceState().AsRaw())
	o.list("attributes", pairs(l.Attributes()))
	o.unsigned("droppedAttributesCount", uint64(l.DroppedAttributesCount()))
	o.unsigned("flags", uint64(l.Flags()))
	return o
}

func span(s ptrace.Span) object {
	o, status := object{}, object{}
	o.ids(s.TraceID(), s.SpanID())
	o.text("parentSpanId", s.ParentSpanID().String())
	o.text("traceState", s.TraceState().AsRaw())
	o.unsigned("flags", uint64(s.Flags()))
	o.text("name", s.Name())
	o.number("kind", int64(s.Kind()))
	o.unsigned("startTimeUnixNano", uint64(s.StartTimestamp()))
	o.unsigned("endTimeUnixNano", uint64(s.EndTimestamp()))
	o.list("attributes", pairs(s.Attributes()))
	o.unsigned("droppedAttributesCount", uint64(s.DroppedAttributesCount()))
	o.list("events", all(s.Events().Len(), s.Events().At, event))
	o.unsigned("droppedEventsCount", uint64(s.DroppedEventsCount()))
	o.list("links", all(s.Links().Len(), s.Links().At, link))
	o.unsigned("droppedLinksCount", uint64(s.DroppedLinksCount()))
	status.number("code", int64(s.Status().Code()))
	status.text("message", s.Status().Message())
	o.child("status", status)
	return o
}

func scopeSpans(s ptrace.ScopeSpans) object {
	return envelope("scope", scope(s.Scope()), s.SchemaUrl(), "spans", all(s.Spans().Len(), s.Spans().At, span))
}

func resourceSpans(r ptrace.ResourceSpans) object {
	return envelope("resource", resource(r.Resource()), r.SchemaUrl(), "scopeSpans", all(r.ScopeSpans().Len(), r.ScopeSpans().At, scopeSpans))
}

// ---- metrics ----

func exemplar(e pmetric.Exemplar) object {
	o := object{}
	o.ids(e.TraceID(), e.SpanID())
	o.unsigned("timeUnixNano", uint64(e.Timestamp()))
	o.list("filteredAttributes", pairs(e.FilteredAttributes()))
	switch e.ValueType() {
	case pmetric.ExemplarValueTypeInt:
		o["asInt"] = e.IntValue()
	case pmetric.ExemplarValueTypeDouble:
		o["asDouble"] = bits(e.DoubleValue())
	}
	return o
}

// What all points have.
func point(attributes pcommon.Map, start, time pcommon.Timestamp, flags pmetric.DataPointFlags) object {
	o := object{}
	o.list("attributes", pairs(attributes))
	o.unsigned("startTimeUnixNano", uint64(start))
	o.unsigned("timeUnixNano", uint64(time))
	o.unsigned("flags", uint64(flags))
	return o
}

func numberPoint(p pmetric.NumberDataPoint) object {
	o := point(p.Attributes(), p.StartTimestamp(), p.Timestamp(), p.Flags())
	o.list("exemplars", all(p.Exemplars().Len(), p.Exemplars().At, exemplar))
	switch p.ValueType() {
	case pmetric.NumberDataPointValueTypeInt:
		o["asInt"] = p.IntValue()
	case pmetric.NumberDataPointValueTypeDouble:
		o["asDouble"] = bits(p.DoubleValue())
	}
	return o
}

type distribution interface {
	HasSum() bool
	Sum() float64
	HasMin() bool
	Min() float64
	HasMax() bool
	Max() float64
	Count() uint64
	Exemplars() pmetric.ExemplarSlice
}

func (o object) distribution(d distribution) {
	o.unsigned("count", d.Count())
	o.list("exemplars", all(d.Exemplars().Len(), d.Exemplars().At, exemplar))
	if d.HasSum() {
		o["sum"] = bits(d.Sum())
	}
	if d.HasMin() {
		o["min"] = bits(d.Min())
	}
	if d.HasMax() {
		o["max"] = bits(d.Max())
	}
}

func (o object) counts(key string, counts pcommon.UInt64Slice) {
	if counts.Len() > 0 {
		o[key] = counts.AsRaw()
	}
}

func histogramPoint(p pmetric.HistogramDataPoint) object {
	o := point(p.Attributes(), p.StartTimestamp(), p.Timestamp(), p.Flags())
	o.distribution(p)
	o.counts("bucketCounts", p.BucketCounts())
	var bounds []any
	for _, bound := range p.ExplicitBounds().AsRaw() {
		bounds = append(bounds, bits(bound))
	}
	o.list("explicitBounds", bounds)
	return o
}

func buckets(b pmetric.ExponentialHistogramDataPointBuckets) object {
	o := object{}
	o.number("offset", int64(b.Offset()))
	o.counts("bucketCounts", b.BucketCounts())
	return o
}

func exponentialPoint(p pmetric.ExponentialHistogramDataPoint) object {
	o := point(p.Attributes(), p.StartTimestamp(), p.Timestamp(), p.Flags())
	o.distribution(p)
	o.number("scale", int64(p.Scale()))
	o.unsigned("zeroCount", p.ZeroCount())
	o.real("zeroThreshold", p.ZeroThreshold())
	o.child("positive", buckets(p.Positive()))
	o.child("negative", buckets(p.Negative()))
	return o
}

func quantile(q pmetric.SummaryDataPointValueAtQuantile) object {
	o := object{}
	o.real("quantile", q.Quantile())
	o.real("value", q.Value())
	return o
}

func summaryPoint(p pmetric.SummaryDataPoint) object {
	o := point(p.Attributes(), p.StartTimestamp(), p.Timestamp(), p.Flags())
	o.unsigned("count", p.Count())
	o.real("sum", p.Sum())
	o.list("quantileValues", all(p.QuantileValues().Len(), p.QuantileValues().At, quantile))
	return o
}

func metric(m pmetric.Metric) object {
	o, data := object{}, object{}
	o.text("name", m.Name())
	o.text("description", m.Description())
	o.text("unit", m.Unit())
	o.list("metadata", pairs(m.Metadata()))
	switch m.Type() {
	case pmetric.MetricTypeGauge:
		o["gauge"] = data
		data.list("dataPoints", all(m.Gauge().DataPoints().Len(), m.Gauge().DataPoints().At, numberPoint))
	case pmetric.MetricTypeSum:
		o["sum"] = data
		data.list("dataPoints", all(m.Sum().DataPoints().Len(), m.Sum().DataPoints().At, numberPoint))
		data.number("aggregationTemporality", int64(m.Sum().AggregationTemporality()))
		if m.Sum().IsMonotonic() {
			data["isMonotonic"] = true
		}
	case pmetric.MetricTypeHistogram:
		o["histogram"] = data
		data.list("dataPoints", all(m.Histogram().DataPoints().Len(), m.Histogram().DataPoints().At, histogramPoint))
		data.number("aggregationTemporality", int64(m.Histogram().AggregationTemporality()))
	case pmetric.MetricTypeExponentialHistogram:
		o["exponentialHistogram"] = data
		points := m.ExponentialHistogram().DataPoints()
		data.list("dataPoints", all(points.Len(), points.At, exponentialPoint))
		data.number("aggregationTemporality", int64(m.ExponentialHistogram().AggregationTemporality()))
	case pmetric.MetricTypeSummary:
		o["summary"] = data
		data.list("dataPoints", all(m.Summary().DataPoints().Len(), m.Summary().DataPoints().At, summaryPoint))
	}
	return o
}

func scopeMetrics(s pmetric.ScopeMetrics) object {
	return envelope("scope", scope(s.Scope()), s.SchemaUrl(), "metrics", all(s.Metrics().Len(), s.Metrics().At, metric))
}

func resourceMetrics(r pmetric.ResourceMetrics) object {
	return envelope("resource", resource(r.Resource()), r.SchemaUrl(), "scopeMetrics", all(r.ScopeMetrics().Len(), r.ScopeMetrics().At, scopeMetrics))
}

// ---- logs ----

func logRecord(l plog.LogRecord) object {
	o := object{}
	o.ids(l.TraceID(), l.SpanID())
	o.unsigned("timeUnixNano", uint64(l.Timestamp()))
	o.unsigned("observedTimeUnixNano", uint64(l.ObservedTimestamp()))
	o.number("severityNumber", int64(l.SeverityNumber()))
	o.text("severityText", l.SeverityText())
	o.text("eventName", l.EventName())
	o.child("body", anyValue(l.Body()))
	o.list("attributes", pairs(l.Attributes()))
	o.unsigned("droppedAttributesCount", uint64(l.DroppedAttributesCount()))
	o.unsigned("flags", uint64(l.Flags()))
	return o
}

func scopeLogs(s plog.ScopeLogs) object {
	return envelope("scope", scope(s.Scope()), s.SchemaUrl(), "logRecords", all(s.LogRecords().Len(), s.LogRecords().At, logRecord))
}

func resourceLogs(r plog.ResourceLogs) object {
	return envelope("resource", resource(r.Resource()), r.SchemaUrl(), "scopeLogs", all(r.ScopeLogs().Len(), r.ScopeLogs().At, scopeLogs))
}

// ---- a request in either encoding ----

func canonicalTraces(data []byte, isJSON bool) (object, error) {
	var unmarshaler ptrace.Unmarshaler = &ptrace.ProtoUnmarshaler{}
	if isJSON {
		unmarshaler = &ptrace.JSONUnmarshaler{}
	}
	o := object{}
	t, err := unmarshaler.UnmarshalTraces(data)
	if err == nil {
		o.list("resourceSpans", all(t.ResourceSpans().Len(), t.ResourceSpans().At, resourceSpans))
	}
	return o, err
}

func canonicalMetrics(data []byte, isJSON bool) (object, error) {
	var unmarshaler pmetric.Unmarshaler = &pmetric.ProtoUnmarshaler{}
	if isJSON {
		unmarshaler = &pmetric.JSONUnmarshaler{}
	}
	o := object{}
	m, err := unmarshaler.UnmarshalMetrics(data)
	if err == nil {
		o.list("resourceMetrics", all(m.ResourceMetrics().Len(), m.ResourceMetrics().At, resourceMetrics))
	}
	return o, err
}

func canonicalLogs(data []byte, isJSON bool) (object, error) {
	var unmarshaler plog.Unmarshaler = &plog.ProtoUnmarshaler{}
	if isJSON {
		unmarshaler = &plog.JSONUnmarshaler{}
	}
	o := object{}
	l, err := unmarshaler.UnmarshalLogs(data)
	if err == nil {
		o.list("resourceLogs", all(l.ResourceLogs().Len(), l.ResourceLogs().At, resourceLogs))
	}
	return o, err
}

// readCanonical prints what pdata sees in one request, as one line of JSON.
func readCanonical(signal string, data []byte, isJSON bool) (object, error) {
	switch signal {
	case "traces":
		return canonicalTraces(data, isJSON)
	case "metrics":
		return canonicalMetrics(data, isJSON)
	case "logs":
		return canonicalLogs(data, isJSON)
	}
	return nil, fmt.Errorf("unknown signal %q", signal)
}
