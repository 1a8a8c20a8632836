start = Hello! I make photos of blackboards and whiteboards readable.

    Send a photo of a board, or several at once. Sent <b>as a file</b> they keep every detail. A moment later you get a larger picture whose letters are the letters that were written.

    Photos and results are erased after { $hours ->
        [one] { $hours } hour
       *[other] { $hours } hours
    } at the latest, and nobody looks at them: /privacy
help = <b>How to get the most out of a photo</b>
    • Come as close as you can, or zoom in, and crop to the board.
    • Send it as a file: as a photo Telegram makes it smaller.
    • In a group write /enhance below a photo, or in reply to one.

    /settings — size, look, file or photo, language
    /room — share boards with a group of people
    /cancel — cancel what is waiting
    /mydata — what is stored about you
    /delete — erase all of it
    /feedback — tell us something
privacy = <b>What happens to your photos</b>
    A photo is stored to be worked on, and erased together with its result after { $hours ->
        [one] { $hours } hour
       *[other] { $hours } hours
    } at the latest. Nobody looks at it, and nothing is trained with it, unless you allow that in /settings; you can take it back at any time. Where and when a photo was taken never leaves: it is removed from results.
    Stored beside it: your Telegram number, your settings, and how long photos took. /mydata shows all of it, /delete erases it. What is in this chat stays until you delete it here.
unknown = Send me a photo of a board, or see /help.
group-hint = Reply with /enhance to a photo of a board, or write it below one.
status-queued = In the queue, place { NUMBER($position) }{ $seconds ->
        [0] {""}
       *[other] {" "}· about { $seconds } s
    }
status-working = Working on it: { $percent } %{ $seconds ->
        [0] {""}
       *[other] {" "}· about { $seconds } s
    }
status-album = { $ended } of { $total ->
        [one] { $total } photo
       *[other] { $total } photos
    } ready
cancel = Cancel
cancelled = Cancelled.
cancelled-count = { $count ->
        [0] Nothing was waiting.
        [one] { $count } photo cancelled.
       *[other] { $count } photos cancelled.
    }
result = { $from } → { $to }
refitted-document = This file is made smaller: Telegram takes 50 MB at most.
refitted-photo = As a photo it is made smaller; as a file it keeps every detail: /settings
too-small = The letters are very small here, so not all of them could be saved. Come closer or zoom in, and try again.
fallback = Nothing could be made sharper without guessing, so nothing was guessed.
original = Original
stale = This button is too old. Send the photo again.
thanks = Thank you!
sorry-bad = Thank you. What was wrong?
working-again = I am working on it.
settings = <b>Settings</b>
    Size: { $scale }
    Look: { $look }
    Results: { $sendAs }
    Language: { $language }
    My photos: { $consent }
scale-auto = chosen by the photo
scale-2 = ×2
scale-4 = ×4
look-natural = natural
look-clean = clean
send-file = as a file
send-photo = as a photo
language-name = English
language-auto = as in Telegram
saved = Saved.
language-choose = Which language shall I speak?
mydata = Everything that is stored about you, without the images.
erase-ask = Erase your photos, results, settings and ratings? This cannot be taken back.
erase-yes = Yes, erase everything
erase-no = No
erased = Everything is erased. Messages in this chat stay until you delete them here.
kept = Nothing was erased.
feedback-ask = Write what you want to tell us behind the command: /feedback the letters are …
feedback-thanks = Thank you, it is written down.
banned = You cannot send photos here{ $reason ->
        [none] {"."}
       *[other] : { $reason }.
    }
admin-stats = <b>Last { $days ->
        [one] { $days } day
       *[other] { $days } days
    }</b>
    Users: { NUMBER($users) }, new { NUMBER($new) }, active { NUMBER($active) }
    Photos: done { NUMBER($done) }, failed { NUMBER($failed) }, cancelled { NUMBER($cancelled) }, open { NUMBER($open) }
    Waiting: median { $wait50 } s, 95 % { $wait95 } s
    In all: median { $total50 } s, 95 % { $total95 } s
    Ratings: 👍 { NUMBER($positive) } 👎 { NUMBER($negative) }
    Failures: { $failures }
    Models: { $models }
admin-queue = <b>Queue</b>
    Waiting: { NUMBER($queued) }, being worked on: { NUMBER($processing) }, oldest { $oldest } s
    Given up: { NUMBER($dead) }
    Deliveries given up: { NUMBER($failed) }
admin-retry = Again: { $what }
admin-retried = It waits for a worker again.
admin-ban-usage = /ban number [reason]
admin-unban-usage = /unban number
admin-done = Done.
admin-not-found = There is no such user.
admin-broadcast-usage = /broadcast English text || русский текст
admin-broadcast = { $state ->
        [draft] <b>Draft</b> for
        [running] <b>Being sent</b> to
        [stopped] <b>Stopped</b>, left
       *[done] <b>Done</b>, left
    } { $waiting ->
        [one] { $waiting } user
       *[other] { $waiting } users
    }. Sent: { NUMBER($sent) }, not reached: { NUMBER($gone) }.
admin-send = Send
admin-stop = Stop
command-start = what this bot does
command-help = how to get the most out of a photo
command-settings = size, look, file or photo, language
command-language = choose the language
command-privacy = what happens to photos
command-mydata = what is stored about me
command-delete = erase everything of mine
command-cancel = cancel what is waiting
command-feedback = tell us something
command-enhance = make this photo readable
command-stats = figures
command-queue = the queue, and what was given up
command-ban = take no photos of a user
command-unban = take their photos again
command-broadcast = write to everybody
description = Makes photos of blackboards and whiteboards readable without changing a letter. Send a photo.
short-description = Readable photos of boards. The letters are the letters that were written.
error-TOO_MANY_BYTES = This file is larger than { $megabytes } MB, which is more than I can fetch. Send it as a photo, or make it smaller.
error-TOO_MANY_PIXELS = This picture has too many pixels. Crop it to the board, or make it smaller.
error-OUTPUT_TOO_LARGE = The result would be too large. Choose ×2 in /settings, or crop the photo.
error-NOT_AN_IMAGE = This is not an image I can read. Send a JPEG, PNG, WebP or HEIC photo.
error-INPUT_EMPTY = This file is empty. Send the photo again.
error-IMAGE_BROKEN = This image cannot be opened; it may be cut off. Send it again.
error-QUOTA_EXCEEDED = Too many of your photos are waiting already. Send this one again when some of them are ready.
error-BANNED = You cannot send photos here. Ask the administrator of this bot.
error-TIMEOUT = This photo took too long. Crop it to the board, or send a smaller one.
error-EXPIRED = The result was erased before I could send it. Send the photo again.
error-BLOB_MISSING = The photo is not kept any more. Send it again.
error-UPSCALE_NOT_FOUND = The photo is not kept any more. Send it again.
error-DOWNLOAD_FAILED = Telegram did not give me this photo. Send it again.
error-MODEL_UNKNOWN = This size cannot be made just now. Choose another one in /settings.
error-other = Something went wrong on our side, not with your photo. Send it again; if it stays, tell us with /feedback.
anonymous = You write as this group or channel, so I cannot tell whose photo this is. Write as yourself, or send it to me in our private chat.
not-yours = This is not your photo, or it is not kept any more. Reply to the photo with /enhance.
no-rights = This group does not let me send files or photos. Ask its administrators to allow it, or send me the photo in our private chat.
room-none = You are in no room yet. In a room a group of people shares its readable boards. Make one with /room and a title, for example /room Analysis, or join one by its link.
room-list = Your rooms:
room-about = <b>{ $title }</b>
    { $count ->
        [one] { $count } person
       *[other] { $count } people
    }, { $pictures ->
        [one] { $pictures } picture
       *[other] { $pictures } pictures
    }
    Results of yours go here by the button below them or by /share. In reply to a picture, /remove takes it back and /report tells the administrators.
room-join = <b>{ $title }</b> is a room of { $count ->
        [one] { $count } person
       *[other] { $count } people
    }.
    What you share there, the result and the photo it was made of, is seen by everybody in it and by whoever has its link. Nothing is shared by itself. Its owner and moderators see your name here.
room-join-group = <b>{ $title }</b> is the room of a Telegram group. What is asked for in that group is seen here too, and by whoever has the room's link. Its owner and moderators see your name here.
room-join-yes = Join
room-join-usage = Write the link or the code of the room behind the command: /join …
room-joined = You are in the room { $title }.
room-already = You are in the room { $title } already: /room
room-invite = Invite
room-shares-ask = Shared: what I choose
room-shares-always = Shared: everything
room-shares-warning = From now on every result of yours goes to this room.
room-receives-each = I get: each picture
room-receives-digest = I get: a digest
room-receives-nothing = I get: nothing
room-page = Page
room-members = Members
room-members-of = <b>{ $title }</b>
room-role-owner = { $name } · owner
room-role-moderator = { $name } · moderator
room-role-member = { $name }
room-kick = Remove { $name }
room-kicked = Removed. The room has a new link now: the old one opens nothing.
room-promote = Make a moderator
room-demote = No moderator
room-new-code = New link
room-code-changed = The old link opens nothing any more.
room-leave = Leave
room-left = You have left the room. What you shared stays there; results you erase disappear there too.
room-close = Close the room
room-close-ask = Close the room for everybody? Its page ends at once.
room-close-yes = Yes, close it
room-closed = The room is closed.
room-back = Back
room-copy = Copy the link
room-pass-on = Pass it on
room-invitation = Room <b>{ $title }</b>: scan this picture, or open { $link }
room-group-opened = This chat is the room <b>{ $title }</b> now: results that are asked for here with /enhance stand on its page too. Whoever has the link sees them.
room-group-admins = Only administrators of this group can make it a room.
room-share = Share to a room
room-share-usage = Write /share in reply to a result.
room-share-where = To which room?
room-shared = In the room { $title }; it goes to { $count ->
        [one] { $count } person
       *[other] { $count } people
    }.
room-shared-before = The room { $title } has it already.
room-nothing-to-share = There is no result to share here: it is not ready, or it is erased. Send the photo again.
room-picture = Room { $title }
room-remove = Remove for everybody
room-removed-count = { $count ->
        [one] { $count } picture is
       *[other] { $count } pictures are
    } removed for everybody.
room-remove-usage = Write /remove in reply to a picture of a room.
room-report = Report
room-report-usage = Write /report in reply to a picture of a room.
room-reported = Thank you. The administrators are told.
room-no-picture = This message shows no picture of a room. Reply to one that does.
room-forbidden = Only its owner and moderators can do that. Ask one of them.
admin-report = Reported in the room { $title }; shared by { $user }
command-room = share boards with a group of people
command-join = join a room
command-share = share a result to a room
command-remove = take a picture out of its room
command-report = tell the administrators of a picture
error-ROOM_NOT_FOUND = There is no such room any more. Ask whoever invited you for a new link.
error-ROOM_EXILED = You were removed from this room. Ask its owner.
error-ROOM_FULL = This room is full. Ask its owner to make another one.
error-ROOM_LIMIT = You have as many rooms as one may have. Close one of them first: /room
error-ROOM_EXISTS = This chat is a room already. Its members find it with /room.
error-ROOM_OWNER = The owner stays in the room. Close it instead: /room
why-unreadable = Still unreadable
why-letters = Letters are wrong
why-slow = Too slow
why-other = Something else
why-ask = What was it? Write it in reply to this message.
why-nothing = Nothing more
read-how = <b>The reading trial</b>
    You see words cut out of photos of boards. Write what you read, just that; if you cannot read it, press the button. There is no time to keep, and nobody is compared with anybody.
read-word = What is written here? You have answered { NUMBER($answered) }, { NUMBER($left) } are left.
read-formula = Which formula is this? You have answered { NUMBER($answered) }, { NUMBER($left) } are left.
read-cannot = Can't read
read-stop = Enough
read-none = There is nothing to read now. Thank you!
read-enough = Thank you! With /read it goes on.
consent-no = not used for anything
consent-yes = may be used for training and the reading trial
consent-give = Let my photos be used
consent-take = Do not use my photos
consent-given = Photos you send from now on may be used, and are kept until you take this back here.
consent-taken = Your photos are not used any more, and removed.
admin-survey-usage = /survey, then a line for the question and a line for each answer: English || русский
admin-survey = { $question }
    { $choices }
    Answers: { NUMBER($answered) }
admin-csv = Answers (CSV)
admin-report-usage = /report or /report 2026-09-01: a day that exists
admin-pilot-report = The pilot report { $since ->
        [none] of the last 30 days
       *[other] since { $since }
    }: open the HTML file in a browser; the others say the same as text and as data. Of another time: /report 2026-09-01
command-read = help us: read words on boards
command-survey = ask everybody
