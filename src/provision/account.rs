//! The administrator's account: a user record of systemd's, so that no `/etc/passwd` is edited, and what
//! SSH and sudo read.

use serde_json::json;

use super::files::{Content, Owner, Planned, UID, under};
use super::schema::{Admin, Provision};

/// Groups whose members may read logs.
const GROUPS: &[&str] = &["adm", "systemd-journal"];
/// The group whose members may do everything with their password.
const SUDO: &str = "sudo";

pub(super) fn plan(provision: &Provision, out: &mut Vec<Planned>) {
    let Some(admin) = &provision.admin else {
        return;
    };
    records(admin, out);
    if admin.password_hash.is_none() {
        // Who has no password can't be asked for one.
        out.push(Planned {
            path: under("etc/sudoers.d/gatepost"),
            content: Content::File {
                bytes: format!("{} ALL=(ALL:ALL) NOPASSWD: ALL\n", admin.name).into_bytes(),
                mode: 0o440,
                owner: Owner::Root,
            },
        });
    }
    if !admin.ssh_keys.is_empty() {
        let mut keys = String::new();
        for key in &admin.ssh_keys {
            keys.push_str(key.as_str());
            keys.push('\n');
        }
        let path = under(&format!("etc/ssh/authorized_keys/{}", admin.name));
        out.push(Planned::public(path, keys));
    }
    if provision.ssh.enabled.unwrap_or(!admin.ssh_keys.is_empty()) {
        let passwords = if provision.ssh.passwords { "yes" } else { "no" };
        let text = format!(
            "AllowUsers {}\nPasswordAuthentication {passwords}\nKbdInteractiveAuthentication {passwords}\n",
            admin.name
        );
        out.push(Planned::public(
            under("etc/ssh/sshd_config.d/50-provisioned.conf"),
            text,
        ));
        // Its being there is what starts SSH.
        out.push(Planned::public(under("etc/ssh/enabled"), String::new()));
    }
    out.push(Planned {
        path: format!("home/{}", admin.name),
        content: Content::Home {},
    });
}

fn records(admin: &Admin, out: &mut Vec<Planned>) {
    let name = admin.name.as_str();
    let path = |file: &str| under(&format!("etc/userdb/{file}"));
    let user = json!({
        "userName": name,
        "realName": admin.full_name.as_deref().unwrap_or(name),
        "uid": UID,
        "gid": UID,
        "homeDirectory": format!("/home/{name}"),
        "shell": "/bin/bash",
        "disposition": "regular",
    });
    let group = json!({ "groupName": name, "gid": UID, "disposition": "regular" });
    let mut link = |kind: &str| {
        out.push(Planned {
            path: path(&format!("{UID}.{kind}")),
            content: Content::Link {
                to: format!("{name}.{kind}"),
            },
        });
    };
    link("user");
    link("group");
    if admin.password_hash.is_some() {
        link("user-privileged");
    }
    out.push(Planned::public(
        path(&format!("{name}.user")),
        user.to_string(),
    ));
    out.push(Planned::public(
        path(&format!("{name}.group")),
        group.to_string(),
    ));
    let sudo = admin.password_hash.is_some().then_some(&SUDO);
    for group in GROUPS.iter().chain(sudo) {
        let file = path(&format!("{name}:{group}.membership"));
        out.push(Planned::public(file, "{}".to_owned()));
    }
    if let Some(hash) = &admin.password_hash {
        let record = json!({ "privileged": { "hashedPassword": [hash.expose()] } });
        let file = path(&format!("{name}.user-privileged"));
        out.push(Planned::secret(file, record.to_string()));
    }
}
