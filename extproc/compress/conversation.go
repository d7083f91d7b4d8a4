package compress

import (
	"slices"

	"github.com/switchyard/switchyard/extproc/dialect"
)

// conversation is a chat on its way to a shorter one.
type conversation struct {
	chat  *dialect.Chat
	units []unit
	saved int64
	// cuts are the lengths, in bytes, to which texts are cut.
	cuts map[place]int
}

// unit is a run of messages that stay or go together: calls, their results and what
// stands between them, or one message.
type unit struct {
	from, to     int // of the chat's messages, half-open
	size         int64
	instructions bool // it holds instructions, and stays
	fixed        bool // it stays
	gone         bool
}

func (u *unit) isTurn() bool        { return !u.gone && !u.instructions }
func (u *unit) isInstruction() bool { return !u.gone && u.instructions }
func (u *unit) messages() int       { return u.to - u.from }

func newConversation(chat *dialect.Chat) *conversation {
	c := &conversation{chat: chat, cuts: map[place]int{}}
	ends := lastResults(chat.Messages)
	for from := 0; from < len(chat.Messages); {
		u := unit{from: from, to: from + 1}
		for i := from; i < u.to; i++ {
			message := &chat.Messages[i]
			u.to = max(u.to, ends[i]+1)
			u.size += size(message.Parts)
			u.instructions = u.instructions || message.Role == dialect.RoleSystem || message.Role == dialect.RoleDeveloper
		}
		c.units = append(c.units, u)
		from = u.to
	}
	c.fix()
	return c
}

// lastResults tells for each message where the last result of its calls is. Ids may
// come again in a long conversation: a result answers the latest call.
func lastResults(messages []dialect.Message) []int {
	ends := make([]int, len(messages))
	calls := map[string]int{}
	for i := range messages {
		for j := range messages[i].Parts {
			part := &messages[i].Parts[j]
			if part.Call != nil {
				calls[part.Call.ID] = i
			}
			if part.Result == nil {
				continue
			}
			if call, known := calls[part.Result.CallID]; known {
				ends[call] = i
			}
		}
	}
	return ends
}

// fix keeps instructions, the first turn, the last one, and what the user said last.
func (c *conversation) fix() {
	first, last, user := -1, -1, -1
	for i := range c.units {
		u := &c.units[i]
		if u.instructions {
			u.fixed = true
			continue
		}
		if first < 0 {
			first = i
		}
		last = i
		if slices.ContainsFunc(c.chat.Messages[u.from:u.to], func(m dialect.Message) bool { return m.Role == dialect.RoleUser }) {
			user = i
		}
	}
	for _, i := range []int{first, last, user} {
		if i >= 0 {
			c.units[i].fixed = true
		}
	}
}

// limitMessages leaves the first and the last half of so many messages, as far as what
// stays between them leaves room. What a half holds in part goes: a call would lose its
// result.
func (c *conversation) limitMessages(most int) {
	var turns []*unit
	total := 0
	for i := range c.units {
		if u := &c.units[i]; !u.instructions {
			turns = append(turns, u)
			total += u.messages()
		}
	}
	if most == 0 || total <= most {
		return
	}
	room := most
	for _, u := range turns {
		if u.fixed {
			room -= u.messages()
		} else {
			c.remove(u)
		}
	}
	keep := func(half int) {
		for _, u := range turns {
			if u.gone {
				if u.messages() > min(half, room) {
					return
				}
				c.restore(u)
				room -= u.messages()
			}
			half -= u.messages()
		}
	}
	keep(most / 2)
	slices.Reverse(turns)
	keep(most / 2)
}

// removeMiddle removes messages from the middle outwards until excess is saved.
func (c *conversation) removeMiddle(excess int64) {
	var free []*unit
	for i := range c.units {
		if u := &c.units[i]; !u.fixed && !u.gone {
			free = append(free, u)
		}
	}
	// What is older goes before what is as far from the middle.
	for step, at := 0, len(free)/2; step < len(free); step++ {
		if step%2 == 1 {
			at -= step
		} else {
			at += step
		}
		last := free[at]
		if c.remove(last); c.saved < excess {
			continue
		}
		if slack := c.saved - excess; last.size > slack && c.shortens(last, last.size-slack) {
			c.restore(last)
			c.shorten(last.size-slack, func(u *unit) bool { return u == last })
		}
		return
	}
}

func (c *conversation) remove(u *unit) {
	u.gone = true
	c.saved += u.size
}

func (c *conversation) restore(u *unit) {
	u.gone = false
	c.saved -= u.size
}

// removed is how many messages are gone.
func (c *conversation) removed() int {
	count := 0
	for i := range c.units {
		if c.units[i].gone {
			count += c.units[i].messages()
		}
	}
	return count
}

// result is the chat that is left.
func (c *conversation) result() *dialect.Chat {
	shorter := *c.chat
	shorter.Messages = make([]dialect.Message, 0, len(c.chat.Messages)-c.removed())
	for i := range c.units {
		if c.units[i].gone {
			continue
		}
		for at := c.units[i].from; at < c.units[i].to; at++ {
			message := c.chat.Messages[at]
			message.Parts = c.cutParts(message.Parts, at)
			shorter.Messages = append(shorter.Messages, message)
		}
	}
	return &shorter
}

// size is how much text parts hold. Media count for nothing: nobody knows how many
// tokens they are.
func size(parts []dialect.Part) int64 {
	var sum int64
	for i := range parts {
		part := &parts[i]
		sum += int64(len(part.Text))
		if part.Call != nil {
			sum += int64(len(part.Call.Name) + len(part.Call.Arguments))
		}
		if part.Result != nil {
			sum += size(part.Result.Parts)
		}
	}
	return sum
}
