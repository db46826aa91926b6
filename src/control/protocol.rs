//! What goes over the socket: lines of JSON.
//!
//! The client sends one [`Request::Run`], for an import followed by [`Request::File`]s and a
//! [`Request::End`]; the server answers any number of [`Status::Progress`] and one of the others.

use serde::{Deserialize, Serialize};

use crate::state::tokens::Token;

/// A command that changes the data directory.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub enum Command {
    /// Put files into a workspace as one commit, making it if it is missing.
    Import {
        workspace: String,
        kind: Option<String>,
    },
    Reindex,
    /// Copy everything into a new folder, named from the root.
    Backup {
        to: String,
    },
    CreateUser {
        name: String,
        email: Option<String>,
        password: Option<String>,
        admin: bool,
    },
    ListUsers,
    DeleteUser {
        name: String,
    },
    /// Without a password the server chooses one.
    SetPassword {
        name: String,
        password: Option<String>,
    },
    CreateToken {
        user: String,
        name: String,
        /// read, write or admin.
        scope: String,
        /// Seconds since 1970.
        expires_at: Option<i64>,
    },
    ListTokens {
        user: String,
    },
    DeleteToken {
        user: String,
        id: i64,
    },
    CreateGroup {
        name: String,
        description: String,
    },
    DeleteGroup {
        name: String,
    },
    JoinGroup {
        group: String,
        user: String,
    },
    LeaveGroup {
        group: String,
        user: String,
    },
    /// `role` is reader, writer or admin; `None` takes it away.
    SetMember {
        workspace: String,
        who: String,
        role: Option<String>,
    },
    ListMembers {
        workspace: String,
    },
    /// `None` leaves a setting as it is.
    SetWorkspace {
        workspace: String,
        public: Option<bool>,
        push: Option<String>,
        force_push: Option<bool>,
    },
    CreateTables,
    DropTables,
}

#[derive(Debug, Clone, Serialize, Deserialize)]
pub(super) enum Request {
    Run(Command),
    File {
        /// In the workspace; `None`: where the kind's pattern puts it.
        path: Option<String>,
        name: String,
        /// Base64.
        bytes: String,
    },
    End,
}

/// What the server says.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub(super) enum Status {
    Progress {
        done: u64,
        total: u64,
    },
    Done(Report),
    /// In words for the person at the terminal.
    Failed(String),
}

/// What a command did.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub enum Report {
    Imported {
        workspace: String,
        commit: Option<String>,
        files: Vec<ImportedFile>,
    },
    Reindexed {
        workspaces: usize,
    },
    /// The password is given when the server chose it.
    UserCreated {
        name: String,
        password: Option<String>,
    },
    Users(Vec<ListedUser>),
    /// In words for the person at the terminal.
    Done(String),
    TokenCreated {
        token: String,
    },
    Tokens(Vec<ListedToken>),
    /// Who and which role.
    Members(Vec<(String, String)>),
    /// The password is given when the server chose it.
    PasswordSet {
        name: String,
        password: Option<String>,
    },
}

/// One file of an import.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct ImportedFile {
    /// As it was given.
    pub name: String,
    /// Where it is now; `None`: it was not taken.
    pub path: Option<String>,
    pub kind: Option<String>,
    /// What that made of the workspace; `None`: it was not taken.
    pub effect: Option<Effect>,
    /// Why it was not taken, or has no kind.
    pub note: Option<String>,
    pub violations: Vec<ReportedViolation>,
}

/// What an imported file did.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub enum Effect {
    Added,
    /// Another file was at its place.
    Replaced,
    /// The same file was.
    None,
}

#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct ReportedViolation {
    pub line: u32,
    pub column: u32,
    pub message: String,
}

#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct ListedUser {
    pub name: String,
    pub email: Option<String>,
    pub admin: bool,
}

/// A token, without its secret; times in seconds since 1970.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct ListedToken {
    pub id: i64,
    pub name: String,
    pub scope: String,
    pub created_at: i64,
    pub expires_at: Option<i64>,
    pub used_at: Option<i64>,
}

impl From<Token> for ListedToken {
    fn from(token: Token) -> Self {
        ListedToken {
            id: token.id,
            name: token.name,
            scope: token.scope.name().to_owned(),
            created_at: token.created_at,
            expires_at: token.expires_at,
            used_at: token.used_at,
        }
    }
}
