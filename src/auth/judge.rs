//! PAM as a judge: the login helper's conversations in the form all conversations have here.

use std::net::IpAddr;

use crate::base::{User, UserName, Way};
use crate::wire::login::{Admitted, Message, Purpose, Style};

use super::conversation::{Dialogue, DialogueError, Judge, Note, Prompt, Step, Stepping, Typed};
use super::pam::{self, Helper, PamError};

impl Judge for Helper {
    fn begin(&self, user: &UserName, from: IpAddr) -> Box<dyn Dialogue> {
        Box::new(Asking::Begin {
            helper: self.clone(),
            user: user.clone(),
            from,
        })
    }
}

/// A conversation with PAM.
#[derive(Debug)]
enum Asking {
    /// Not begun yet.
    Begin {
        helper: Helper,
        user: UserName,
        from: IpAddr,
    },
    /// It waits for answers.
    Asked(pam::Conversation),
    /// It is over.
    Over,
}

impl Dialogue for Asking {
    fn step(&mut self, answers: Vec<Typed>) -> Stepping<'_> {
        Box::pin(async move {
            let next = match std::mem::replace(self, Self::Over) {
                Self::Begin { helper, user, from } => {
                    let from = from.to_string();
                    Helper::begin(&helper, &user, &from, Purpose::Terminals).await
                }
                Self::Asked(conversation) => {
                    let answers = answers.into_iter().map(Typed::into_exposed);
                    conversation.answer(answers.collect()).await
                }
                Self::Over => return Ok(Step::Out {}),
            };
            match next {
                Ok(pam::Step::Ask(conversation)) => {
                    let (notes, prompts) = sort(conversation.messages());
                    *self = Self::Asked(conversation);
                    Ok(Step::Ask { notes, prompts })
                }
                Ok(pam::Step::Failed) | Err(PamError::Answers(_)) => Ok(Step::Out {}),
                Ok(pam::Step::Admitted(entry)) => Ok(Step::In {
                    user: user(&entry.who)?,
                    entry: Some(entry),
                }),
                Err(error) => Err(DialogueError(error.to_string())),
            }
        })
    }
}

/// What is to be said, and what is asked.
fn sort(messages: &[Message]) -> (Vec<Note>, Vec<Prompt>) {
    let (asked, said): (Vec<_>, Vec<_>) = messages
        .iter()
        .partition(|message| message.style.is_question());
    let notes = said.into_iter().map(|message| Note {
        text: message.text.clone(),
        error: message.style == Style::Error,
    });
    let prompts = asked.into_iter().map(|message| Prompt {
        text: message.text.clone(),
        echo: message.style == Style::Shown,
    });
    (notes.collect(), prompts.collect())
}

/// Who was let in: by the name the account really has, whatever was typed.
fn user(who: &Admitted) -> Result<User, DialogueError> {
    let upn = who.account.parse::<UserName>();
    let upn = upn.map_err(|error| DialogueError(format!("the account's name: {error}")))?;
    let mut user = User::new(upn, Way::Pam);
    user.account = Some(who.account.clone());
    user.attributes
        .insert("groups".to_owned(), who.groups.clone());
    Ok(user)
}
