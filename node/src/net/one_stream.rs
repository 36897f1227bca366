//! A connection handler for exactly one stream of one protocol, run by one task.
//!
//! Line, guest and visitor differ only in the task. The task lives inside the connection's own task, so it dies
//! with the connection; what it has to say goes through a bounded channel, what it has to hear comes through
//! channels of its own. Nothing goes through `NotifyHandler`: one connection that is slow to take its message
//! there would hold up the messages of all the others.

use std::{
    collections::VecDeque,
    convert::Infallible,
    fmt::Debug,
    future::{Ready, ready},
    option,
    pin::Pin,
    task::{Context, Poll},
};

use libp2p::{
    Stream, StreamProtocol,
    core::upgrade::{InboundUpgrade, OutboundUpgrade, UpgradeInfo},
    swarm::{
        ConnectionHandler, ConnectionHandlerEvent, StreamUpgradeError, SubstreamProtocol,
        handler::{ConnectionEvent, FullyNegotiatedInbound, FullyNegotiatedOutbound},
    },
};
use tokio::sync::mpsc;

use super::limits::{BATCH, OPEN_MAX};

/// The task of a stream: says items while it runs and one outcome at its end.
pub(super) type Task<O> = Pin<Box<dyn Future<Output = O> + Send>>;
/// Makes the task once the stream is there.
pub(super) type Start<I, O> = Box<dyn FnOnce(Stream, mpsc::Sender<I>) -> Task<O> + Send>;

/// What a handler tells its room.
#[derive(Debug)]
pub(super) enum Said<I, O> {
    /// The stream stands, and the task runs.
    Opened,
    /// The other side does not speak the protocol with us, or did not answer in time.
    NotOpened {
        /// Whether it said so.
        unsupported: bool,
    },
    /// Items of the task, in order.
    Items(Vec<I>),
    /// The task is over; all its items were said before.
    Ended(O),
}

/// See the module.
pub(super) struct OneStream<I, O> {
    protocol: StreamProtocol,
    accepts: bool,
    must_open: bool,
    start: Option<(Start<I, O>, mpsc::Sender<I>)>,
    task: Option<Task<O>>,
    items: mpsc::Receiver<I>,
    outcome: Option<O>,
    first: VecDeque<Said<I, O>>,
}

impl<I, O> OneStream<I, O> {
    /// Takes the first inbound stream of `protocol`.
    pub(super) fn accepting(protocol: StreamProtocol, start: Start<I, O>) -> Self {
        Self { accepts: true, ..Self::new(protocol, Some(start)) }
    }

    /// Opens one outbound stream of `protocol`.
    pub(super) fn opening(protocol: StreamProtocol, start: Start<I, O>) -> Self {
        Self { must_open: true, ..Self::new(protocol, Some(start)) }
    }

    /// Neither: this connection belongs to another room.
    pub(super) fn closed(protocol: StreamProtocol) -> Self {
        Self::new(protocol, None)
    }

    fn new(protocol: StreamProtocol, start: Option<Start<I, O>>) -> Self {
        let (sender, items) = mpsc::channel(BATCH);
        let start = start.map(|start| (start, sender));
        let first = VecDeque::new();
        Self { protocol, accepts: false, must_open: false, start, task: None, items, outcome: None, first }
    }

    fn begin(&mut self, stream: Stream) {
        // A second stream is dropped, which resets it.
        if let Some((start, items)) = self.start.take() {
            self.task = Some(start(stream, items));
            self.first.push_back(Said::Opened);
        }
    }

    /// The next thing to say, items before the outcome.
    fn say(&mut self, cx: &mut Context<'_>) -> Poll<Said<I, O>> {
        if let Some(first) = self.first.pop_front() {
            return Poll::Ready(first);
        }
        if let Some(Poll::Ready(outcome)) = self.task.as_mut().map(|task| task.as_mut().poll(cx)) {
            // The end of the task is the end of its item channel, so the outcome comes last.
            self.task = None;
            self.outcome = Some(outcome);
        }
        let mut items = Vec::new();
        match self.items.poll_recv_many(cx, &mut items, BATCH) {
            Poll::Ready(0) => {
                self.outcome.take().map_or(Poll::Pending, |outcome| Poll::Ready(Said::Ended(outcome)))
            }
            Poll::Ready(_) => Poll::Ready(Said::Items(items)),
            Poll::Pending => Poll::Pending,
        }
    }
}

impl<I, O> ConnectionHandler for OneStream<I, O>
where
    I: Debug + Send + 'static,
    O: Debug + Send + 'static,
{
    type FromBehaviour = Infallible;
    type ToBehaviour = Said<I, O>;
    type InboundProtocol = Offer;
    type OutboundProtocol = Offer;
    type InboundOpenInfo = ();
    type OutboundOpenInfo = ();

    fn listen_protocol(&self) -> SubstreamProtocol<Offer> {
        let open = self.accepts && self.start.is_some();
        SubstreamProtocol::new(Offer(open.then(|| self.protocol.clone())), ()).with_timeout(OPEN_MAX)
    }

    fn poll(&mut self, cx: &mut Context<'_>) -> Poll<ConnectionHandlerEvent<Offer, (), Said<I, O>>> {
        if std::mem::take(&mut self.must_open) {
            let offer = Offer(Some(self.protocol.clone()));
            let protocol = SubstreamProtocol::new(offer, ()).with_timeout(OPEN_MAX);
            return Poll::Ready(ConnectionHandlerEvent::OutboundSubstreamRequest { protocol });
        }
        self.say(cx).map(ConnectionHandlerEvent::NotifyBehaviour)
    }

    fn poll_close(&mut self, cx: &mut Context<'_>) -> Poll<Option<Said<I, O>>> {
        // What has arrived is still said: an answer followed by a close would be lost otherwise.
        match self.say(cx) {
            Poll::Ready(said) => Poll::Ready(Some(said)),
            Poll::Pending => Poll::Ready(None),
        }
    }

    fn on_behaviour_event(&mut self, never: Infallible) {
        match never {}
    }

    fn on_connection_event(&mut self, event: ConnectionEvent<'_, Offer, Offer>) {
        if let ConnectionEvent::FullyNegotiatedInbound(FullyNegotiatedInbound { protocol, .. })
        | ConnectionEvent::FullyNegotiatedOutbound(FullyNegotiatedOutbound { protocol, .. }) = event
        {
            self.begin(protocol);
        } else if let ConnectionEvent::DialUpgradeError(failed) = event {
            let unsupported = matches!(failed.error, StreamUpgradeError::NegotiationFailed);
            self.start = None;
            self.first.push_back(Said::NotOpened { unsupported });
        }
    }
}

/// One protocol, or none.
#[derive(Clone, Debug)]
pub(super) struct Offer(Option<StreamProtocol>);

impl UpgradeInfo for Offer {
    type Info = StreamProtocol;
    type InfoIter = option::IntoIter<StreamProtocol>;

    fn protocol_info(&self) -> Self::InfoIter {
        self.0.clone().into_iter()
    }
}

impl InboundUpgrade<Stream> for Offer {
    type Output = Stream;
    type Error = Infallible;
    type Future = Ready<Result<Stream, Infallible>>;

    fn upgrade_inbound(self, stream: Stream, _: StreamProtocol) -> Self::Future {
        ready(Ok(stream))
    }
}

impl OutboundUpgrade<Stream> for Offer {
    type Output = Stream;
    type Error = Infallible;
    type Future = Ready<Result<Stream, Infallible>>;

    fn upgrade_outbound(self, stream: Stream, _: StreamProtocol) -> Self::Future {
        ready(Ok(stream))
    }
}
