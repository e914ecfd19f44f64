// SPDX-License-Identifier: Apache-2.0

// Posts the same body many times and prints how often each status came: {"413": 100}. A request without an answer counts as
// "lost". Usage: post URL CONTENT-TYPE BYTES|@FILE REQUESTS PARALLEL length|chunked
package main

import (
	"bytes"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"os"
	"strconv"
	"sync"
	"time"
)

// So many zeros, or what is in a file.
func payload(word string) []byte {
	if word[0] != '@' {
		return make([]byte, number(3))
	}
	body, err := os.ReadFile(word[1:])
	if err != nil {
		panic(err)
	}
	return body
}

func number(i int) int {
	n, err := strconv.Atoi(os.Args[i])
	if err != nil {
		panic(err)
	}
	return n
}

// A reader that net/http cannot measure, so that it sends chunks.
type opaque struct{ io.Reader }

func post(client *http.Client, body []byte) string {
	var reader io.Reader = bytes.NewReader(body)
	if os.Args[6] == "chunked" {
		reader = opaque{reader}
	}
	request, err := http.NewRequest("POST", os.Args[1], reader)
	if err != nil {
		panic(err)
	}
	request.GetBody = nil // no silent second try
	request.Header.Set("Content-Type", os.Args[2])
	answer, err := client.Do(request)
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		return "lost"
	}
	defer answer.Body.Close()
	if _, err := io.Copy(io.Discard, answer.Body); err != nil {
		fmt.Fprintln(os.Stderr, err)
		return "lost"
	}
	return strconv.Itoa(answer.StatusCode)
}

func main() {
	body := payload(os.Args[3])
	client := &http.Client{Timeout: 60 * time.Second, Transport: &http.Transport{MaxIdleConnsPerHost: 64}}
	counts := map[string]int{}
	var mu sync.Mutex
	var all sync.WaitGroup
	for p := 0; p < number(5); p++ {
		all.Add(1)
		go func() {
			defer all.Done()
			for i := 0; i < number(4)/number(5); i++ {
				status := post(client, body)
				mu.Lock()
				counts[status]++
				mu.Unlock()
			}
		}()
	}
	all.Wait()
	if err := json.NewEncoder(os.Stdout).Encode(counts); err != nil {
		panic(err)
	}
}
