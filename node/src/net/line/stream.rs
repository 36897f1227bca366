//! Both directions of one line's stream, and the ends its room holds of it.

use std::{
    collections::VecDeque,
    io,
    sync::{
        Arc,
        atomic::{AtomicU64, Ordering},
    },
    time::Duration,
};

use futures::{
    AsyncRead, AsyncWrite, AsyncWriteExt as _, FutureExt as _,
    io::{AsyncReadExt as _, BufWriter},
};
use tokio::{
    sync::{OwnedSemaphorePermit, Semaphore, mpsc, watch},
    time::{Instant, Interval, MissedTickBehavior, interval_at, timeout},
};

use crate::net::{
    Refusal, Settings,
    alarm::after,
    framing::{HEAD, Head, fill},
    limits::{
        FRAME_MAX, FRAME_READ_MAX, LINE_QUEUE, LINE_QUEUE_BYTES, LINE_WINDOW, LINE_WINDOW_BYTES,
        RECEIVE_WINDOW, RECEIVE_WINDOW_BYTES,
    },
    one_stream::Start,
    packing::{pack, unpack},
};

/// How a line came to its end.
#[derive(Debug)]
pub(in crate::net) enum End {
    /// The other side, or the network, closed it.
    Closed,
    /// We turned the peer away.
    Refused(Refusal),
}

impl From<io::Error> for End {
    fn from(error: io::Error) -> Self {
        if error.kind() == io::ErrorKind::TimedOut { Self::Refused(Refusal::Silent) } else { Self::Closed }
    }
}

/// A frame that was read, with the room it takes until it is committed.
#[derive(Debug)]
pub(in crate::net) struct Inbound {
    pub(super) number: u64,
    pub(super) bytes: Vec<u8>,
    pub(super) room: Room,
}

/// Room in the line's frame window, in its byte window and in the budget of all lines. Dropping it frees it.
#[derive(Debug)]
pub(in crate::net) struct Room {
    _slot: OwnedSemaphorePermit,
    _bytes: OwnedSemaphorePermit,
    _budget: OwnedSemaphorePermit,
}

/// A frame waiting to be sent, with its room in the queue.
struct Queued {
    frame: Vec<u8>,
    packs: bool,
    _bytes: OwnedSemaphorePermit,
}

/// What the room tells the stream.
#[derive(Clone, Copy, Default)]
struct Control {
    started: bool,
    committed: u64,
}

/// The ends the room holds.
pub(super) struct Ends {
    queue: mpsc::Sender<Queued>,
    queue_bytes: Arc<Semaphore>,
    control: watch::Sender<Control>,
}

impl Ends {
    /// Lets frames flow. Until then nothing is read or written, so no frame comes before its line is up.
    pub(super) fn start(&self) {
        self.control.send_modify(|control| control.started = true);
    }

    /// Acknowledges everything up to `upto`. Only the latest matters, so this cannot pile up.
    pub(super) fn acknowledge(&self, upto: u64) {
        self.control.send_if_modified(|control| {
            let news = upto > control.committed;
            control.committed = upto.max(control.committed);
            news
        });
    }

    /// Queues a frame; false if it is empty or too long, or if the queue is full.
    pub(super) fn send(&self, frame: Vec<u8>, packs: bool) -> bool {
        let length = match u32::try_from(frame.len()) {
            Ok(length) if length > 0 && frame.len() <= FRAME_MAX => length,
            _ => return false,
        };
        let Ok(room) = Arc::clone(&self.queue_bytes).try_acquire_many_owned(length) else { return false };
        self.queue.try_send(Queued { frame, packs, _bytes: room }).is_ok()
    }
}

/// The two sides of a line that is about to be: the room's ends, and the stream's task.
pub(super) fn pair(settings: &Settings, budget: Arc<Semaphore>) -> (Ends, Start<Inbound, End>) {
    let (queue, waiting) = mpsc::channel(LINE_QUEUE);
    let (control, orders) = watch::channel(Control::default());
    let ends = Ends { queue, queue_bytes: Arc::new(Semaphore::new(LINE_QUEUE_BYTES)), control };
    let ping = settings.ping_interval;
    let silence = ping.saturating_add(settings.ping_timeout);
    let write_buffer = settings.write_buffer;
    let start: Start<Inbound, End> = Box::new(move |stream, frames| {
        async move {
            let mut started = orders.clone();
            if started.wait_for(|control| control.started).await.is_err() {
                return End::Closed;
            }
            let (input, output) = stream.split();
            let output = BufWriter::with_capacity(write_buffer, output);
            let (acknowledged, acks) = watch::channel(0);
            let sent = Arc::new(AtomicU64::new(0));
            let mut reader = Reader::new(input, frames, acknowledged, Arc::clone(&sent), budget, silence);
            let mut writer = Writer::new(output, waiting, orders, acks, sent, ping);
            let ended = tokio::select! {
                ended = reader.run() => ended,
                ended = writer.run() => ended,
            };
            ended.err().unwrap_or(End::Closed)
        }
        .boxed()
    });
    (ends, start)
}

/// The inbound direction.
struct Reader<R> {
    input: R,
    frames: mpsc::Sender<Inbound>,
    acknowledged: watch::Sender<u64>,
    sent: Arc<AtomicU64>,
    slots: Arc<Semaphore>,
    bytes: Arc<Semaphore>,
    budget: Arc<Semaphore>,
    silence: Duration,
    received: u64,
}

impl<R: AsyncRead + Unpin> Reader<R> {
    fn new(
        input: R,
        frames: mpsc::Sender<Inbound>,
        acknowledged: watch::Sender<u64>,
        sent: Arc<AtomicU64>,
        budget: Arc<Semaphore>,
        silence: Duration,
    ) -> Self {
        let slots = Arc::new(Semaphore::new(RECEIVE_WINDOW));
        let bytes = Arc::new(Semaphore::new(RECEIVE_WINDOW_BYTES));
        Self { input, frames, acknowledged, sent, slots, bytes, budget, silence, received: 0 }
    }

    async fn run(&mut self) -> Result<(), End> {
        loop {
            let mut head = [0; HEAD];
            fill(&mut self.input, &mut head, self.silence).await?;
            match Head::from_bytes(head) {
                Head { length: 0, packed: false, number } => self.acknowledge(number)?,
                head => self.read(head).await?,
            }
        }
    }

    fn acknowledge(&self, upto: u64) -> Result<(), End> {
        if upto > self.sent.load(Ordering::Acquire) || upto < *self.acknowledged.borrow() {
            return Err(End::Refused(Refusal::BadAck));
        }
        self.acknowledged.send_if_modified(|acknowledged| std::mem::replace(acknowledged, upto) != upto);
        Ok(())
    }

    /// Reads one frame. The length is checked before anything is allocated, and the room is there before a byte
    /// is read: whoever does not keep our window is held up by his own TCP.
    async fn read(&mut self, head: Head) -> Result<(), End> {
        let length = usize::try_from(head.length).unwrap_or(usize::MAX);
        let unpacked = if head.packed { self.unpacked_length().await? } else { head.length };
        if length > FRAME_MAX || usize::try_from(unpacked).unwrap_or(usize::MAX) > FRAME_MAX {
            return Err(End::Refused(Refusal::FrameOversize));
        }
        if self.received.checked_add(1) != Some(head.number) {
            return Err(End::Refused(Refusal::FrameOrder));
        }
        self.received = head.number;
        // What is packed takes its room twice for a moment, and never more than that of the largest frame.
        let room = self.room(unpacked).await?;
        let mut bytes = vec![0; length];
        match timeout(FRAME_READ_MAX, fill(&mut self.input, &mut bytes, self.silence)).await {
            Ok(filled) => filled?,
            Err(_elapsed) => return Err(End::Refused(Refusal::FrameSlow)),
        }
        if head.packed {
            bytes = unpack(&bytes, unpacked).ok_or(End::Refused(Refusal::FramePacked))?;
        }
        let inbound = Inbound { number: head.number, bytes, room };
        self.frames.send(inbound).await.map_err(|_closed| End::Closed)
    }

    async fn unpacked_length(&mut self) -> Result<u32, End> {
        let mut length = [0; 4];
        fill(&mut self.input, &mut length, self.silence).await?;
        Ok(u32::from_be_bytes(length))
    }

    async fn room(&self, length: u32) -> Result<Room, End> {
        let slot = acquire(&self.slots, 1).await?;
        let bytes = acquire(&self.bytes, length).await?;
        let budget = acquire(&self.budget, length).await?;
        Ok(Room { _slot: slot, _bytes: bytes, _budget: budget })
    }
}

async fn acquire(semaphore: &Arc<Semaphore>, many: u32) -> Result<OwnedSemaphorePermit, End> {
    Arc::clone(semaphore).acquire_many_owned(many).await.map_err(|_closed| End::Closed)
}

/// The outbound direction.
struct Writer<W> {
    output: BufWriter<W>,
    queue: mpsc::Receiver<Queued>,
    orders: watch::Receiver<Control>,
    acks: watch::Receiver<u64>,
    sent: Arc<AtomicU64>,
    beat: Interval,
    window: Window,
}

/// What the writer does next.
enum Next {
    /// Acknowledge, be it news or a sign of life.
    Acknowledge,
    /// The other side has acknowledged.
    Advance,
    /// Send.
    Frame(Queued),
}

impl<W: AsyncWrite + Unpin> Writer<W> {
    fn new(
        output: BufWriter<W>,
        queue: mpsc::Receiver<Queued>,
        orders: watch::Receiver<Control>,
        acks: watch::Receiver<u64>,
        sent: Arc<AtomicU64>,
        ping: Duration,
    ) -> Self {
        let mut beat = interval_at(after(Instant::now(), ping), ping);
        beat.set_missed_tick_behavior(MissedTickBehavior::Delay);
        Self { output, queue, orders, acks, sent, beat, window: Window::default() }
    }

    async fn run(&mut self) -> Result<(), End> {
        loop {
            // Waiting and writing are two steps: a write is never given up half-way.
            match self.next().await? {
                Next::Acknowledge => {
                    let upto = self.orders.borrow_and_update().committed;
                    self.write(Head::plain(0, upto), &[]).await?;
                }
                Next::Advance => {
                    let upto = *self.acks.borrow_and_update();
                    self.window.advance(upto);
                }
                Next::Frame(queued) => self.send(&queued).await?,
            }
            if self.queue.is_empty() || !self.window.is_open() {
                self.output.flush().await?;
            }
        }
    }

    async fn next(&mut self) -> Result<Next, End> {
        tokio::select! {
            biased;
            changed = self.orders.changed() => changed.map(|()| Next::Acknowledge).map_err(|_gone| End::Closed),
            changed = self.acks.changed() => changed.map(|()| Next::Advance).map_err(|_gone| End::Closed),
            _ = self.beat.tick() => Ok(Next::Acknowledge),
            queued = self.queue.recv(), if self.window.is_open() => queued.map(Next::Frame).ok_or(End::Closed),
        }
    }

    async fn send(&mut self, Queued { frame, packs, .. }: &Queued) -> Result<(), End> {
        let number = self.window.push(frame.len());
        // Known as sent before the other side can possibly acknowledge it.
        self.sent.store(number, Ordering::Release);
        let length = |bytes: &[u8]| u32::try_from(bytes.len()).unwrap_or(u32::MAX);
        let Some(packed) = packs.then(|| pack(frame)).flatten() else {
            return self.write(Head::plain(length(frame), number), frame).await;
        };
        self.output.write_all(&Head { length: length(&packed), packed: true, number }.to_bytes()).await?;
        self.output.write_all(&length(frame).to_be_bytes()).await?;
        Ok(self.output.write_all(&packed).await?)
    }

    async fn write(&mut self, head: Head, frame: &[u8]) -> Result<(), End> {
        self.output.write_all(&head.to_bytes()).await?;
        self.output.write_all(frame).await?;
        Ok(())
    }
}

/// The frames on their way to the other side's disk.
#[derive(Default)]
struct Window {
    sent: u64,
    acknowledged: u64,
    lengths: VecDeque<usize>,
    bytes: usize,
}

impl Window {
    /// Whether any frame, however long, still fits.
    fn is_open(&self) -> bool {
        self.lengths.len() < LINE_WINDOW && self.bytes <= LINE_WINDOW_BYTES.saturating_sub(FRAME_MAX)
    }

    fn push(&mut self, length: usize) -> u64 {
        self.lengths.push_back(length);
        self.bytes = self.bytes.saturating_add(length);
        self.sent = self.sent.saturating_add(1);
        self.sent
    }

    fn advance(&mut self, upto: u64) {
        while self.acknowledged < upto {
            let Some(length) = self.lengths.pop_front() else { break };
            self.bytes = self.bytes.saturating_sub(length);
            self.acknowledged = self.acknowledged.saturating_add(1);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_send_window_is_bounded_in_frames() {
        let mut window = Window::default();
        for number in 1..=u64::try_from(LINE_WINDOW).unwrap() {
            assert!(window.is_open());
            assert_eq!(window.push(1), number);
        }
        assert!(!window.is_open());
        window.advance(1);
        assert!(window.is_open());
    }

    #[test]
    fn the_send_window_is_bounded_in_bytes() {
        let mut window = Window::default();
        while window.is_open() {
            window.push(FRAME_MAX);
        }
        assert_eq!(window.bytes, LINE_WINDOW_BYTES);
        window.advance(window.sent);
        assert_eq!((window.bytes, window.lengths.len()), (0, 0));
    }
}
