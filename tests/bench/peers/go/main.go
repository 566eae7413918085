// Connects clients with paho.mqtt.golang, as they come by default, and prints how many µs that took.
// When its input ends they say goodbye.
//
//	connect ADDRESS COUNT
package main

import (
	"fmt"
	"io"
	"os"
	"strconv"
	"sync"
	"time"

	mqtt "github.com/eclipse/paho.mqtt.golang"
)

const inFlight = 64

func main() {
	address := os.Args[1]
	count, err := strconv.Atoi(os.Args[2])
	if err != nil {
		fail(err)
	}
	begun := time.Now()
	clients := make([]mqtt.Client, count)
	slots := make(chan struct{}, inFlight)
	var all sync.WaitGroup
	for number := range clients {
		slots <- struct{}{}
		all.Add(1)
		go func() {
			defer all.Done()
			clients[number] = connect(address, number)
			<-slots
		}()
	}
	all.Wait()
	fmt.Println(time.Since(begun).Microseconds())

	io.Copy(io.Discard, os.Stdin)
	for _, client := range clients {
		all.Add(1)
		go func() {
			defer all.Done()
			client.Disconnect(0)
		}()
	}
	all.Wait()
}

func connect(address string, number int) mqtt.Client {
	id := fmt.Sprintf("golang-%d", number)
	client := mqtt.NewClient(mqtt.NewClientOptions().
		AddBroker("tcp://"+address).
		SetClientID(id).
		SetKeepAlive(60*time.Second).
		SetWill("devices/"+id+"/status", "offline", 1, true))
	token := client.Connect()
	token.Wait()
	if err := token.Error(); err != nil {
		fail(err)
	}
	return client
}

func fail(err error) {
	fmt.Fprintln(os.Stderr, err)
	os.Exit(1)
}
