// A broker for the tests that need one of another kind: mochi-mqtt, with hooks that post who comes and goes.
//
// mochi [URL]   listens on a free port of loopback, prints the port, and ends with its input
package main

import (
	"bytes"
	"encoding/json"
	"fmt"
	"io"
	"log"
	"log/slog"
	"net"
	"net/http"
	"os"
	"time"

	mqtt "github.com/mochi-mqtt/server/v2"
	"github.com/mochi-mqtt/server/v2/hooks/auth"
	"github.com/mochi-mqtt/server/v2/listeners"
	"github.com/mochi-mqtt/server/v2/packets"
)

// What a hook was called with.
type call struct {
	Event     string `json:"event"`
	ID        string `json:"id"`
	Remote    string `json:"remote"`
	StopCause string `json:"stopCause"`
	Inline    bool   `json:"inline"`
}

// A hook that notes calls. They are posted by one after the other, or a newer one could overtake an older.
type notes struct {
	mqtt.HookBase
	calls chan call
}

func (h *notes) ID() string { return "notes" }

func (h *notes) Provides(hook byte) bool {
	return hook == mqtt.OnSessionEstablished || hook == mqtt.OnDisconnect
}

func (h *notes) OnSessionEstablished(client *mqtt.Client, _ packets.Packet) {
	h.note("OnSessionEstablished", client)
}

func (h *notes) OnDisconnect(client *mqtt.Client, _ error, _ bool) {
	h.note("OnDisconnect", client)
}

func (h *notes) note(event string, client *mqtt.Client) {
	cause := fmt.Sprint(client.StopCause())
	h.calls <- call{event, client.ID, client.Net.Remote, cause, client.Net.Inline}
}

func (h *notes) post(url string) {
	poster := http.Client{Timeout: time.Minute}
	for call := range h.calls {
		body, err := json.Marshal(call)
		check(err)
		answer, err := poster.Post(url, "application/json", bytes.NewReader(body))
		check(err)
		answer.Body.Close()
		// Another broker would try again; here it would hide a mistake.
		if answer.StatusCode != http.StatusOK {
			log.Fatalf("%s: %s for %s", url, answer.Status, body)
		}
	}
}

func main() {
	server := mqtt.New(&mqtt.Options{Logger: slog.New(slog.NewTextHandler(os.Stderr, nil))})
	check(server.AddHook(new(auth.AllowHook), nil))
	if len(os.Args) > 1 {
		notes := &notes{calls: make(chan call, 1024)}
		check(server.AddHook(notes, nil))
		go notes.post(os.Args[1])
	}
	socket, err := net.Listen("tcp", "127.0.0.1:0")
	check(err)
	check(server.AddListener(listeners.NewNet("loopback", socket)))
	check(server.Serve())
	fmt.Println(socket.Addr().(*net.TCPAddr).Port)
	_, err = io.Copy(io.Discard, os.Stdin)
	check(err)
	check(server.Close())
}

func check(err error) {
	if err != nil {
		log.Fatal(err)
	}
}
