// SPDX-License-Identifier: Apache-2.0

// Dispatch, in Go with the OpenTelemetry SDK: delivery times, and orders on their way.
// Fault: timeout, it hangs for longer than its callers wait.
package main

import (
	"context"
	"encoding/json"
	"log"
	"math/rand/v2"
	"net/http"
	"os"
	"os/signal"
	"syscall"
	"time"

	"go.opentelemetry.io/contrib/bridges/otelslog"
	"go.opentelemetry.io/contrib/instrumentation/net/http/otelhttp"
	"go.opentelemetry.io/otel"
	"go.opentelemetry.io/otel/attribute"
	"go.opentelemetry.io/otel/trace"
)

const (
	hangAtLeast = 2 * time.Second
	hangSpread  = time.Second
)

var anomalyHeaders = []string{"x-anomaly-type", "x-anomaly-label", "x-anomaly-root-cause", "x-anomaly-msg"}

// captureHeaders copies the x-anomaly-* headers to the server span: otelhttp has no option for that.
func captureHeaders(next http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		span := trace.SpanFromContext(r.Context())
		for _, name := range anomalyHeaders {
			if values := r.Header.Values(name); len(values) > 0 {
				span.SetAttributes(attribute.StringSlice("http.request.header."+name, values))
			}
		}
		next.ServeHTTP(w, r)
	})
}

func hangIfAsked(r *http.Request) {
	if r.Header.Get("x-anomaly-type") != "timeout" {
		return
	}
	otelslog.NewLogger("dispatch").WarnContext(r.Context(), "waiting for a lorry that does not come", "path", r.URL.Path)
	time.Sleep(hangAtLeast + time.Duration(rand.Int64N(int64(hangSpread))))
}

func work(ctx context.Context, name string, atMost time.Duration) {
	_, span := otel.Tracer("dispatch").Start(ctx, name)
	defer span.End()
	time.Sleep(time.Duration(rand.Int64N(int64(atMost))))
}

func eta(w http.ResponseWriter, r *http.Request) {
	hangIfAsked(r)
	work(r.Context(), "plan route", 3*time.Millisecond)
	_ = json.NewEncoder(w).Encode(2 + rand.IntN(5))
}

func send(w http.ResponseWriter, r *http.Request) {
	hangIfAsked(r)
	work(r.Context(), "load lorry", 3*time.Millisecond)
	_ = json.NewEncoder(w).Encode(map[string]string{"state": "on its way"})
}

func route(mux *http.ServeMux, pattern string, handle http.HandlerFunc) {
	var handler http.Handler = handle
	if os.Getenv("SHOP_CAPTURE_HEADERS") == "1" {
		handler = captureHeaders(handler)
	}
	mux.Handle(pattern, otelhttp.NewHandler(handler, pattern))
}

func main() {
	ctx, stop := signal.NotifyContext(context.Background(), syscall.SIGTERM, syscall.SIGINT)
	defer stop()
	shutdown, err := startTelemetry(ctx)
	if err != nil {
		log.Fatal(err)
	}
	mux := http.NewServeMux()
	route(mux, "GET /eta", eta)
	route(mux, "POST /send", send)
	mux.HandleFunc("GET /health", func(w http.ResponseWriter, _ *http.Request) { _, _ = w.Write([]byte("ok")) })
	host := os.Getenv("HOST")
	if host == "" {
		host = "127.0.0.1"
	}
	server := &http.Server{Addr: host + ":" + os.Getenv("PORT"), Handler: mux}
	go func() {
		if err := server.ListenAndServe(); err != http.ErrServerClosed {
			log.Fatal(err)
		}
	}()
	<-ctx.Done()
	deadline, cancel := context.WithTimeout(context.Background(), 8*time.Second)
	defer cancel()
	_ = server.Shutdown(deadline)
	if err := shutdown(deadline); err != nil {
		log.Print("telemetry: ", err)
	}
}
