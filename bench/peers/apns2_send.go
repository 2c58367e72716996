// Sends a list with sideshow/apns2: a token a line after the header row, one payload for all.
//
// usage: apns2_send LIST PAYLOAD KEY HOST TOPIC KEY_ID TEAM_ID CONCURRENCY
//
// The last line of its output is JSON: seconds, accepted, rejected, failed.
package main

import (
	"bufio"
	"fmt"
	"log"
	"os"
	"strconv"
	"sync"
	"sync/atomic"
	"time"

	"github.com/sideshow/apns2"
	"github.com/sideshow/apns2/token"
)

func main() {
	list, payloadFile, keyFile := os.Args[1], os.Args[2], os.Args[3]
	host, topic, keyID, teamID := os.Args[4], os.Args[5], os.Args[6], os.Args[7]
	concurrency, err := strconv.Atoi(os.Args[8])
	check(err)
	key, err := token.AuthKeyFromFile(keyFile)
	check(err)
	payload, err := os.ReadFile(payloadFile)
	check(err)
	client := apns2.NewTokenClient(&token.Token{AuthKey: key, KeyID: keyID, TeamID: teamID})
	client.Host = host

	begun := time.Now()
	tokens := make(chan string, 4096)
	go read(list, tokens)
	var accepted, rejected, failed int64
	var senders sync.WaitGroup
	for number := 0; number < concurrency; number++ {
		senders.Add(1)
		go func() {
			defer senders.Done()
			for device := range tokens {
				answer, err := client.Push(&apns2.Notification{
					DeviceToken: device,
					Topic:       topic,
					Priority:    apns2.PriorityHigh,
					Payload:     payload,
				})
				switch {
				case err != nil:
					atomic.AddInt64(&failed, 1)
				case answer.Sent():
					atomic.AddInt64(&accepted, 1)
				default:
					atomic.AddInt64(&rejected, 1)
				}
			}
		}()
	}
	senders.Wait()
	fmt.Printf("{\"seconds\": %f, \"accepted\": %d, \"rejected\": %d, \"failed\": %d}\n",
		time.Since(begun).Seconds(), accepted, rejected, failed)
}

func read(list string, tokens chan<- string) {
	file, err := os.Open(list)
	check(err)
	lines := bufio.NewScanner(file)
	lines.Scan() // the header row
	for lines.Scan() {
		tokens <- lines.Text()
	}
	check(lines.Err())
	close(tokens)
}

func check(err error) {
	if err != nil {
		log.Fatal(err)
	}
}
