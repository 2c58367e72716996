// Sends rounds of pushes with sideshow/apns2; a round begins when the one before is answered.
//
// usage: apns2_rounds PLAN
//
// PLAN is JSON: {"url", "ca", "key", "key_id", "team_id", "topic", "rounds"}, with files for ca and
// key.  Prints what was said of each token as JSON.
package main

import (
	"crypto/tls"
	"crypto/x509"
	"encoding/json"
	"fmt"
	"log"
	"net/http"
	"os"
	"sync"

	"github.com/sideshow/apns2"
	"github.com/sideshow/apns2/token"
	"golang.org/x/net/http2"
)

type plan struct {
	URL, CA, Key, Topic string
	KeyID               string `json:"key_id"`
	TeamID              string `json:"team_id"`
	Rounds              [][]string
}

func main() {
	var given plan
	check(json.Unmarshal([]byte(os.Args[1]), &given))
	key, err := token.AuthKeyFromFile(given.Key)
	check(err)
	source := &token.Token{AuthKey: key, KeyID: given.KeyID, TeamID: given.TeamID}
	client := toSimulator(source, given.URL, given.CA)

	said := map[string]string{}
	var lock sync.Mutex
	for _, tokens := range given.Rounds {
		var senders sync.WaitGroup
		for _, device := range tokens {
			senders.Add(1)
			go func(device string) {
				defer senders.Done()
				answer := push(client, device, given.Topic)
				lock.Lock()
				defer lock.Unlock()
				said[device] = answer
			}(device)
		}
		senders.Wait()
	}
	out, err := json.Marshal(said)
	check(err)
	fmt.Println(string(out))
}

// toSimulator returns a client for the simulator at url, whose certificate is in the file ca.
func toSimulator(source *token.Token, url, ca string) *apns2.Client {
	pem, err := os.ReadFile(ca)
	check(err)
	roots := x509.NewCertPool()
	roots.AppendCertsFromPEM(pem)
	client := apns2.NewTokenClient(source)
	client.Host = url
	client.HTTPClient = &http.Client{Transport: &http2.Transport{
		TLSClientConfig: &tls.Config{RootCAs: roots},
	}}
	return client
}

func push(client *apns2.Client, device, topic string) string {
	answer, err := client.Push(&apns2.Notification{
		DeviceToken: device,
		Topic:       topic,
		PushType:    apns2.PushTypeAlert,
		Payload:     []byte(`{"aps":{"alert":"Hello"}}`),
	})
	switch {
	case err != nil:
		return "error: " + err.Error()
	case answer.Sent():
		return "accepted"
	default:
		return answer.Reason
	}
}

func check(err error) {
	if err != nil {
		log.Fatal(err)
	}
}
