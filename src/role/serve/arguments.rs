//! The flags of `gatepost serve`: each is a value of the configuration, given by hand.

use std::net::SocketAddr;
use std::path::PathBuf;

use crate::base::{PublicUrl, Way};
use crate::policy::settings::server::{FileMode, Listen, TrustedProxy, UrlPrefix};
use crate::role::log::Format;
use crate::system::Maintenance;
use crate::system::setup::Setup;
use crate::system::update::Updates;

use super::Settings;

/// Arguments of `gatepost serve`. What is given here wins over the environment and all files.
#[derive(Debug, clap::Args)]
pub struct ServeArguments {
    /// Where to listen, as in 127.0.0.1:8722 or, with TLS, [::]:443; can be given several times [default:
    /// 127.0.0.1:8722]. Port 0 takes a free one; the address really used is printed. With TLS,
    /// http://127.0.0.1:8722 stays without it.
    #[arg(long, value_name = "ADDRESS:PORT")]
    pub(in crate::role) listen: Vec<Listen>,
    /// Speak HTTPS, with a certificate made at first start (see `gatepost cert show`).
    #[arg(long, conflicts_with = "tls_certificate")]
    pub(in crate::role) tls: bool,
    /// Speak HTTPS with this certificate and those between it and its authority, as PEM.
    #[arg(long, value_name = "FILE", requires = "tls_key")]
    pub(in crate::role) tls_certificate: Option<PathBuf>,
    /// The certificate's key, as PEM; not readable by everybody.
    #[arg(long, value_name = "FILE", requires = "tls_certificate")]
    pub(in crate::role) tls_key: Option<PathBuf>,
    /// Answer plain HTTP here with a redirect to HTTPS, as in 0.0.0.0:80. Can be given several times.
    #[arg(long, value_name = "ADDRESS:PORT")]
    pub(in crate::role) https_redirect: Vec<SocketAddr>,
    /// With TLS, where the kiosk's own window finds the server without it; on loopback [default:
    /// 127.0.0.1:8722].
    #[arg(long, value_name = "ADDRESS:PORT")]
    pub(in crate::role) local_listen: Option<SocketAddr>,
    /// Listen on a Unix socket, too, for a proxy on this machine.
    #[arg(long, value_name = "PATH")]
    pub(in crate::role) unix_socket: Option<PathBuf>,
    /// Who may connect to it, in octal [default: 0660].
    #[arg(long, value_name = "MODE")]
    pub(in crate::role) unix_socket_mode: Option<FileMode>,
    /// The path everything is under, for a proxy that passes the whole path on.
    #[arg(long, value_name = "/PATH/")]
    pub(in crate::role) url_prefix: Option<UrlPrefix>,
    /// Where others see this server behind a proxy, as in https://host/path/.
    #[arg(long, value_name = "URL")]
    pub(in crate::role) public_url: Option<PublicUrl>,
    /// Believe what this proxy says of its clients: a network like 10.0.0.0/8, or unix. Can be given several times.
    #[arg(long, value_name = "NETWORK")]
    pub(in crate::role) trusted_proxy: Vec<TrustedProxy>,
    /// Answer to this host name, too. Can be given several times.
    #[arg(long, value_name = "NAME")]
    pub(in crate::role) allow_host: Vec<String>,
    /// Listen beyond this machine although nothing is encrypted: whoever can read the network can
    /// read and take over every terminal.
    #[arg(long)]
    pub(in crate::role) allow_plain_http: bool,
    /// Open this way to log in: pam, local. Can be given several times, or with commas.
    #[arg(long, value_name = "WAY", value_delimiter = ',', value_parser = parse_way)]
    pub(in crate::role) auth: Vec<Way>,
    /// Any setting for everyone, as docs/config.md lists them. Can be given several times.
    #[arg(long, value_name = "SECTION.KEY=VALUE")]
    pub(in crate::role) set: Vec<String>,
    /// The folder of gatepost.toml and conf.d [default: /etc/gatepost for root, else
    /// ~/.config/gatepost].
    #[arg(long, value_name = "FOLDER", env = "GATEPOST_CONFIG_DIR")]
    pub(in crate::role) config_dir: Option<PathBuf>,
    /// May restart and switch off this machine, by calling this program as systemctl is called.
    /// Without it, nobody can.
    #[arg(long, value_name = "PROGRAM", env = "GATEPOST_POWER")]
    pub(in crate::role) power: Option<PathBuf>,
    /// The folder hooks are in, or the socket behind which they are run [default: hooks, in the folder of
    /// the configuration].
    #[arg(long, value_name = "PATH", env = "GATEPOST_HOOKS")]
    pub(in crate::role) hooks: Option<PathBuf>,
    /// A file that says, if it is there, why this machine has lost its lasting files: then nobody is let in but the
    /// machine's own screen, since the rules who may are lost, too.
    #[arg(
        long,
        value_name = "FILE",
        env = "GATEPOST_LOCKED",
        default_value = "/run/gatepost-image/locked",
        hide = true
    )]
    pub(in crate::role) locked: PathBuf,
    /// The socket behind which the system's other slot is written, on machines that run Gatepost's image.
    #[arg(long, value_name = "PATH", env = "GATEPOST_UPDATES")]
    pub(in crate::role) updates: Option<PathBuf>,
    /// The socket behind which the system is made writable for maintenance, on machines that run Gatepost's image.
    #[arg(long, value_name = "PATH", env = "GATEPOST_MAINTENANCE")]
    pub(in crate::role) maintenance: Option<PathBuf>,
    /// The folder with the sockets behind which the machine is set up by hand, on machines that run Gatepost's
    /// image.
    #[arg(long, value_name = "FOLDER", env = "GATEPOST_SETUP")]
    pub(in crate::role) setup: Option<PathBuf>,
    /// How log lines on standard error look.
    #[arg(long, value_enum, default_value_t = Format::Auto)]
    pub(in crate::role) log: Format,
}

impl ServeArguments {
    /// Who does what the server may not.
    pub(super) fn name_helpers(&self, settings: &mut Settings) {
        settings.power.clone_from(&self.power);
        let (updates, maintenance, setup) = (&self.updates, &self.maintenance, &self.setup);
        settings.updates = updates.clone().map_or(Updates::Absent, Updates::Socket);
        settings.maintenance = maintenance
            .clone()
            .map_or(Maintenance::Absent, Maintenance::Socket);
        settings.setup = setup.clone().map_or(Setup::Absent, Setup::Folder);
    }
}

fn parse_way(text: &str) -> Result<Way, String> {
    use serde::Deserialize as _;
    use serde::de::IntoDeserializer as _;
    Way::deserialize(text.into_deserializer())
        .map_err(|error: serde::de::value::Error| error.to_string())
}
