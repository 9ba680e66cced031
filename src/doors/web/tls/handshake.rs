//! The handshake of one connection, and a word for who forgot the `s` in `https`.

use std::sync::Arc;
use std::{io, time::Duration};

use rustls::server::Acceptor;
use tokio::io::{AsyncBufReadExt as _, AsyncWriteExt as _};
use tokio::net::TcpStream;
use tokio_rustls::server::TlsStream;
use tokio_rustls::{LazyConfigAcceptor, TlsAcceptor};

use super::{PeerCertificate, Tls};

/// First byte of every TLS connection: a handshake record (RFC 8446, section 5.1).
const HANDSHAKE: u8 = 0x16;
/// What plain HTTP gets. Not a redirect: the request, cookie and all, was readable on its way.
const PLAIN: &[u8] = b"HTTP/1.1 400 Bad Request\r\nconnection: close\r\ncontent-type: text/plain; charset=utf-8\r\ncontent-length: 76\r\n\r\n\
This port speaks HTTPS only. Write https:// in front of the address instead.";

impl Tls {
    /// Shakes hands. Returns when the client has also sent something over it, so that a connection
    /// is worth its memory; `Ok(None)` when there is nothing more to say to it.
    pub(in crate::doors::web) async fn accept(
        &self,
        stream: TcpStream,
        limit: Duration,
    ) -> io::Result<Option<(TlsStream<TcpStream>, Option<PeerCertificate>)>> {
        let acceptor = TlsAcceptor::from(self.config());
        let accept = async {
            let mut first = [0];
            if stream.peek(&mut first).await? == 0 {
                return Err(io::ErrorKind::UnexpectedEof.into());
            }
            if first != [HANDSHAKE] {
                tracing::info!("plain HTTP on an HTTPS port");
                tell(stream).await;
                return Ok(None);
            }
            let mut stream = if self.0.challenges.any() {
                let hello = LazyConfigAcceptor::new(Acceptor::default(), stream).await?;
                match self.0.challenges.answer(&hello.client_hello()) {
                    Some(proof) => {
                        // The handshake is all there is to see.
                        hello.into_stream(proof).await?.shutdown().await?;
                        tracing::info!("an authority looked whether a name leads here");
                        return Ok(None);
                    }
                    None => hello.into_stream(self.config()).await?,
                }
            } else {
                acceptor.accept(stream).await?
            };
            let certificate = stream.get_ref().1.peer_certificates();
            let certificate = certificate
                .and_then(<[_]>::first)
                .map(|leaf| PeerCertificate(Arc::from(leaf.as_ref())));
            stream.fill_buf().await?;
            Ok(Some((stream, certificate)))
        };
        tokio::time::timeout(limit, accept).await?
    }
}

/// Says that this is the wrong door, and closes so that it is heard.
async fn tell(mut stream: TcpStream) {
    // Whoever doesn't listen misses nothing.
    let _best_effort = stream.write_all(PLAIN).await;
    let _best_effort = stream.shutdown().await;
    let mut rest = [0; 1024];
    // Unread bytes would turn the close into a reset that overtakes the answer.
    let _best_effort = stream.try_read(&mut rest);
}

#[cfg(test)]
mod tests {
    #[test]
    fn the_answer_to_plain_http_is_as_long_as_it_says() {
        let text = std::str::from_utf8(super::PLAIN).unwrap();
        let (head, body) = text.split_once("\r\n\r\n").unwrap();
        assert!(head.ends_with(&format!("content-length: {}", body.len())));
    }
}
