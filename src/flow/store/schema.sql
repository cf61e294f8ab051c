-- schema.sql - the store as a person reads it. Version 4 (pragma user_version).
--
--     sqlite3 -readonly store.db "select * from queued"
--     sqlite3 -readonly store.db "select * from journey where mts_id like '%L=some-id'"
--
-- Times are milliseconds since 1970 UTC, 0 none. Ids of messages, transfers, deliveries and content files come from one
-- ascending counter and are never given twice. Nothing but the switch writes here; a change is made by the commands.

-- What must not start again: 'id' and 'number' are above all that were ever given, 'indexed' is the last step in step_key,
-- and 'step-octets' about what the steps up to it take.
-- 'total:mta' and 'total:link NAME' are texts: what was counted for ever, name and number, name and number; 'total:now' has what of it
-- is less than a second old (octets of the switch).
create table counter (
	name   text primary key,
	value  integer not null
) without rowid;

create table queue (
	no     integer primary key,
	name   text not null unique            -- the link
);

-- A message lives as long as one of its parts: a transfer that waits, a delivery that lies in a mailbox, one in quarantine.
create table message (
	id         integer primary key,
	parts      integer not null,           -- transfers and deliveries it came with
	kind       integer not null,           -- 0 message, 1 report, 2 probe, 3 octets that could not be read
	priority   integer not null,           -- 0 non-urgent, 1 normal, 2 urgent
	arrived    integer not null,
	expires    integer not null,
	size       integer not null,           -- octets of content
	file       integer,                    -- content/<file in 16 hexadecimal digits>; null: content is here
	peer       text not null,              -- the link it came by; '' made here
	mts_id     text not null,
	envelope   blob not null,              -- pack.h; octets have none, and no mts_id and recipients
	recipients blob not null,              -- for each: state 1 octet, transfer 8, length 4, then as in pack.h
	content    blob
);
create index message_file on message (file) where file is not null;

-- One message on its way to one link, for the recipients whose entry names it.
create table transfer (
	id         integer primary key,
	message    integer not null,
	queue      integer not null,
	priority   integer not null,
	next       integer not null,           -- not before; 253402300800000 (the year 10000): held
	attempts   integer not null,
	alone      integer not null,           -- 1: the message's only part
	recipients integer not null,
	arrived    integer not null,           -- these three as in the message
	expires    integer not null,
	size       integer not null,
	error      text,                       -- of the last attempt
	tried      text not null default ''    -- links it waited for before it was rerouted, one a line
);
create index transfer_due on transfer (queue, priority, next);

create table delivery (
	id         integer primary key,
	message    integer not null,
	mailbox    text not null,
	recipient  integer not null,           -- index in the message's recipients
	alone      integer not null,
	delivered  integer not null,
	size       integer not null
);
create index delivery_mailbox on delivery (mailbox);

-- Only messages of several parts: how many of them are left, and what became of the transfers that are over.
create table share (
	message    integer primary key,
	remaining  integer not null,
	size       integer not null
);
create table outcome (
	message    integer not null,
	transfer   integer not null,
	state      integer not null,           -- 2 delivered (handed over), 3 reported
	primary key (message, transfer)
) without rowid;

-- The life of every message, for a settable time.
create table step (
	seq        integer primary key,
	at         integer not null,
	kind       integer not null,
	size       integer not null,
	mts_id     text not null,
	other      text,                       -- the report's subject, or the report made
	peer       text,                       -- link or mailbox
	digest     blob,                       -- of what came in: duplicates are known by it
	text       text,
	key        integer not null,           -- a hash: of the local identifier (upper half) and the digest (lower half)
	other_key  integer,                    -- of the other's
	event      integer default null,       -- its number in the tracking log of Exchange; null: none, or a step of before version 4
	keys       blob default null           -- 8 octets each: hashes of addresses and subject, by which a search finds it
);
-- Where the steps of a key are: those two, and the upper half of each of keys, with 1 below. Filled in batches up to counter 'indexed', by period (seq / 65536), so that a batch is written
-- to few pages.
create table step_key (
	period     integer not null,
	key        integer not null,
	seq        integer not null,
	primary key (period, key, seq)
) without rowid;
-- For each full period a Bloom filter of its keys with a digest.
create table step_filter (
	period     integer primary key,
	bits       blob not null
);

-- Since version 2: from here on it is run on a store of version 1, whose transfers get the column tried.

-- What was in the hands of a process that died by a fault.
create table suspect (
	key        text primary key,           -- 'message ID' or 'input LINK HASH'
	strikes    integer not null,
	at         integer not null,           -- of the last strike
	words      text not null               -- last words of the process
) without rowid;

-- What is kept for the operator: a transfer that was taken out of its queue, or octets of a peer that could not be read.
create table quarantine (
	id         integer primary key,        -- the transfer's
	message    integer not null,
	state      integer not null,           -- 0 kept, 1 octets that wait to be examined alone
	octets     integer not null,           -- 1: octets
	at         integer not null,
	strikes    integer not null,
	alone      integer not null,           -- 1: the message's only part
	recipients integer not null,
	size       integer not null,
	link       text not null,              -- a transfer's queue, or where the octets came from
	cause      text not null,
	words      text not null,
	key        text not null,              -- octets: theirs as a suspect, or ''
	priority   integer not null,           -- these four so that it can be a transfer again
	attempts   integer not null,
	arrived    integer not null,
	expires    integer not null
);
create index quarantine_state on quarantine (state);

-- Since version 3: this part is run on a store of version 2, too.

-- A transfer on its way in that may be broken off: what has come of it, up to checkpoints that the peer was told of.
create table partial (
	id         integer primary key,
	link       text not null,
	host       text not null,              -- of the peer
	reference  blob not null,              -- of the association; only a link knows what is in it
	activity   integer not null,           -- its number on that association
	started    integer not null
);
-- Its octets lie in content files. A new one is begun whenever the transfer goes on after a break, so none is ever written over.
create table partial_sync (
	partial    integer not null,
	serial     integer not null,           -- of the checkpoint
	octets     integer not null,           -- before it
	file       integer not null,           -- content/<file> has the last of them ...
	start      integer not null,           -- ... from this one on; those before are in the file of an earlier checkpoint
	primary key (partial, serial)
) without rowid;

-- Since version 4, in which steps have got event and keys, all views: this part is run on a store of version 3, too.

create view quarantined as
	select z.id, case z.state when 1 then 'examine' else 'kept' end as state, z.message, m.mts_id, z.link, z.recipients, z.size, z.strikes,
		datetime(z.at / 1000, 'unixepoch') as at, z.octets, z.cause, z.words
	from quarantine z join message m on m.id = z.message;

create view queued as
	select q.name as queue, t.id as transfer, t.message, m.mts_id, m.priority, t.recipients, t.attempts, t.size,
		datetime(t.arrived / 1000, 'unixepoch') as arrived,
		case when t.next >= 253402300800000 then 'held' else datetime(t.next / 1000, 'unixepoch') end as next, t.error
	from transfer t join message m on m.id = t.message join queue q on q.no = t.queue;

create view journey as
	select seq, strftime('%Y-%m-%d %H:%M:%f', at / 1000.0, 'unixepoch') as at,
		case kind when 1 then 'submitted' when 2 then 'transfer-in' when 3 then 'transfer-out' when 4 then 'delivered'
			when 5 then 'report-made' when 6 then 'retry' when 7 then 'duplicate' when 8 then 'expired' when 9 then 'loop'
			when 10 then 'discarded' when 11 then 'report-in' when 12 then 'deferred' when 13 then 'struck'
			when 14 then 'quarantined' when 15 then 'released' when 16 then 'held' when 17 then 'operator' when 18 then 'converted' when 19 then 'redirected'
			when 20 then 'expanded' when 21 then 'rerouted' when 22 then 'downgraded' when 23 then 'absorbed' when 24 then 'deleted' else kind end as step,
		mts_id, other, peer, size, text, event
	from step;
