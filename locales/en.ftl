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
    /cancel — cancel what is waiting
    /mydata — what is stored about you
    /delete — erase all of it
    /feedback — tell us something
privacy = <b>What happens to your photos</b>
    A photo is stored to be worked on, and erased together with its result after { $hours ->
        [one] { $hours } hour
       *[other] { $hours } hours
    } at the latest. Nobody looks at it, and nothing is trained with it. Where and when a photo was taken never leaves: it is removed from results.
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
too-small = The letters are very small here, so not all of them could be saved. Come closer or zoom in, and try again.
fallback = Nothing could be made sharper without guessing, so nothing was guessed.
original = Original
stale = This button is too old. Send the photo again.
thanks = Thank you!
sorry-bad = Thank you. What was wrong? Write /feedback and your words.
working-again = I am working on it.
settings = <b>Settings</b>
    Size: { $scale }
    Look: { $look }
    Results: { $sendAs }
    Language: { $language }
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
